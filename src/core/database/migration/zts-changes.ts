import type { SchemaChange } from './schema-change.ts'

const TIME = 'DATETIME(3) NULL'
const TIME_NOW = 'DATETIME(3) NULL DEFAULT CURRENT_TIMESTAMP(3)'
const IP = "VARCHAR(64) NOT NULL DEFAULT ''"

/** How the tables of a ZTS database changed since 2017, likewise. */
export const ZTS_CHANGES: readonly SchemaChange[] = [
  {
    id: '20190208',
    title: 'certificate records by service',
    steps: [
      {
        table: 'certificates',
        alter: [
          { column: 'clientCert', definition: 'TINYINT(1) NOT NULL DEFAULT 0' },
          {
            primary: ['provider', 'instanceId', 'service'],
            // As long as they were they would not fit into a key together.
            define: {
              provider: 'VARCHAR(384) NOT NULL',
              instanceId: 'VARCHAR(256) NOT NULL',
              service: 'VARCHAR(384) NOT NULL',
            },
          },
        ],
      },
    ],
  },
  {
    id: '20190715',
    title: 'longer names',
    steps: [
      {
        table: 'certificates',
        alter: [
          { column: 'provider', definition: 'VARCHAR(384) NOT NULL' },
          { column: 'instanceId', definition: 'VARCHAR(256) NOT NULL' },
          { column: 'service', definition: 'VARCHAR(384) NOT NULL' },
        ],
      },
    ],
  },
  {
    id: '20200302',
    title: 'notices of certificates that were not renewed',
    steps: [
      {
        table: 'certificates',
        alter: [
          { column: 'lastNotifiedTime', definition: TIME },
          { column: 'lastNotifiedServer', definition: 'VARCHAR(512) NULL' },
          { column: 'expiryTime', definition: TIME },
          { column: 'hostName', definition: 'VARCHAR(512) NULL' },
        ],
      },
    ],
  },
  {
    id: '20200428',
    title: 'SSH certificates',
    steps: [
      {
        table: 'ssh_certificates',
        create: {
          columns: {
            instanceId: 'VARCHAR(256) NOT NULL',
            service: 'VARCHAR(384) NOT NULL',
            principals: "VARCHAR(1024) NOT NULL DEFAULT ''",
            clientIP: IP,
            privateIP: IP,
            issueTime: 'DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)',
          },
          primary: ['instanceId', 'service'],
        },
      },
    ],
  },
  {
    id: '20201102',
    title: 'certificate records by host name',
    steps: [{ table: 'certificates', alter: [{ index: 'idx_hostName', columns: ['hostName'] }] }],
  },
  {
    id: '20210325',
    title: 'workloads',
    steps: [
      {
        table: 'workloads',
        create: {
          columns: {
            provider: 'VARCHAR(384) NOT NULL',
            service: 'VARCHAR(384) NOT NULL',
            ip: 'VARCHAR(64) NOT NULL',
            instanceId: 'VARCHAR(256) NOT NULL',
            creationTime: TIME_NOW,
            updateTime: TIME_NOW,
          },
          primary: ['instanceId', 'ip', 'service'],
          indexes: { idx_ip: ['ip'], idx_service: ['service'] },
        },
      },
    ],
  },
  {
    id: '20210420',
    title: 'hosts and expiry of workloads',
    steps: [
      {
        table: 'workloads',
        alter: [
          { column: 'hostname', definition: "VARCHAR(256) NOT NULL DEFAULT 'NA'" },
          { column: 'certExpiryTime', definition: "DATETIME(3) NOT NULL DEFAULT '1970-01-01 00:00:00.000'" },
        ],
      },
    ],
  },
  {
    id: '20241022',
    title: 'providers of agents',
    steps: [{ table: 'certificates', alter: [{ column: 'siaProvider', definition: 'VARCHAR(256) NULL' }] }],
  },
]
