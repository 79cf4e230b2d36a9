import { ADMINISTRATOR } from './dev-administrator.ts'
import { UI_SERVICE } from './dev-registration.ts'
import type { DevServer, DevServerPaths } from './dev-server.ts'
import { STORE_PROPERTIES } from './dev-store.ts'
import { connectUi, UI_ADDRESS_PROPERTIES, UI_KEY, uiProperties } from './dev-ui.ts'
import {
  ADDRESS_PROPERTIES,
  ATHENZ_CONF,
  AUTHORIZATION_DETAILS,
  connectZts,
  prepareZts,
  ZTS_KEYS,
  ztsProperties,
} from './dev-zts.ts'
import { type ServerKind, UI, ZMS, ZTS } from './server-kind.ts'

/** The servers: the first one starts alone, the others know it and start together. To add one, add a row. */
export const DEV_SERVERS: readonly DevServer[] = [
  {
    kind: ZMS,
    principal: 'sys.auth.zms',
    signingKeys: new Map([['zms_private.pem', 'rsa']]),
    configuration: (paths) =>
      new Map([
        ['zms.properties', zmsProperties(paths)],
        ['athenz.properties', containerProperties(ZMS, paths)],
      ]),
    madeProperties: { first: STORE_PROPERTIES },
    furtherFiles: [STORE_PROPERTIES],
  },
  {
    kind: ZTS,
    principal: 'sys.auth.zts',
    signingKeys: new Map(ZTS_KEYS.map(({ file, kind }) => [file, kind])),
    configuration: (paths) =>
      new Map([
        ['zts.properties', ztsProperties(paths)],
        ['athenz.properties', containerProperties(ZTS, paths)],
        ['authz_details.json', AUTHORIZATION_DETAILS],
      ]),
    madeProperties: { last: ADDRESS_PROPERTIES },
    furtherFiles: [ADDRESS_PROPERTIES, ATHENZ_CONF],
    prepare: prepareZts,
    connect: connectZts,
  },
  {
    kind: UI,
    yieldsPort: true,
    principal: UI_SERVICE,
    signingKeys: new Map([[UI_KEY.file, 'ec']]),
    configuration: (paths) =>
      new Map([
        ['ui.properties', uiProperties(paths)],
        ['athenz.properties', pageContainerProperties(paths)],
      ]),
    madeProperties: { last: UI_ADDRESS_PROPERTIES },
    furtherFiles: [UI_ADDRESS_PROPERTIES],
    connect: connectUi,
  },
]

const zmsProperties = ({ shippedConf }: DevServerPaths): string => `\
# ZMS of this development folder. Made by athenz dev when absent; change it as you like.
# Relative paths count from the development folder. Every property: conf/zms_server of the project.

athenz.zms.domain_admin=${ADMINISTRATOR}
athenz.zms.authority_classes=com.yahoo.athenz.auth.impl.PrincipalAuthority,com.yahoo.athenz.auth.impl.CertificateAuthority
athenz.zms.principal_authority_class=com.yahoo.athenz.auth.impl.PrincipalAuthority
athenz.zms.no_auth_uri_list=/zms/v1/status,/zms/v1/schema
athenz.zms.solution_templates_fname=${shippedConf}/solution_templates.json
#athenz.ts.further_templates_fname=${shippedConf}/further_templates.json
athenz.zms.authz_service_fname=${shippedConf}/authorized_services.json
athenz.zms.page_token_services=${UI_SERVICE}
`

/** Without authorities for clients: a browser that has certificates would ask its user which of them to show. */
const pageContainerProperties = ({ certificate }: DevServerPaths): string => `\
# Where the web page of this development folder listens. Made by athenz dev when absent; change it as you like.

athenz.port=0
athenz.tls_port=${UI.defaultPort}
athenz.ts.tls_cert_file=${certificate.certificate}
athenz.ts.tls_key_file=${certificate.key}
`

const containerProperties = (kind: ServerKind, { certificate, ca }: DevServerPaths): string => `\
# Where ${kind.title} of this development folder listens. Made by athenz dev when absent; change it as you like.

athenz.port=0
athenz.tls_port=${kind.defaultPort}
athenz.ts.tls_cert_file=${certificate.certificate}
athenz.ts.tls_key_file=${certificate.key}
athenz.ts.tls_ca_file=${ca}
`
