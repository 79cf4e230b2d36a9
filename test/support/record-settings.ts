import { join } from 'node:path'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import type { MariaDb } from './mariadb.ts'

const RECORD_STORES = 'com.yahoo.athenz'

/** Where ZTS keeps its records: beside the data of ZMS, in files or in the database. */
export const recordSettings = (jdbcUrl: string | undefined): Readonly<Record<string, string>> =>
  jdbcUrl === undefined
    ? {
        'athenz.zts.workload_record_store_factory_class': `${RECORD_STORES}.zts.workload.impl.FileWorkloadRecordStoreFactory`,
      }
    : {
        'athenz.zts.cert_record_store_factory_class': `${RECORD_STORES}.common.server.cert.impl.JDBCCertRecordStoreFactory`,
        'athenz.zts.cert_jdbc_store': jdbcUrl,
        'athenz.zts.cert_jdbc_user': 'root',
        'athenz.zts.workload_record_store_factory_class': `${RECORD_STORES}.common.server.workload.impl.JDBCWorkloadRecordStoreFactory`,
        'athenz.zts.workload_jdbc_store': jdbcUrl,
        'athenz.zts.workload_jdbc_user': 'root',
      }

/** A database with the tables for records of ZTS; gives its address as properties name it. */
export async function recordDatabase(server: MariaDb): Promise<string> {
  return server.jdbcUrl(await server.freshDatabase(join(PROJECT_FOLDER, 'schema', 'zts_server.sql')))
}
