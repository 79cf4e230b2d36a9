import { problemLine } from './config-error.ts'
import type { ServerName } from './server-tables.ts'

/** Rules about several properties together; values that failed to parse are absent and not judged again. */
export const relationProblems = (
  server: ServerName,
  values: ReadonlyMap<string, unknown>,
  origin: (key: string) => string,
): string[] => {
  const problems: string[] = []

  if (server === 'zms') {
    const listKey = 'athenz.zms.authority_classes'
    const classes = values.get(listKey)
    for (const key of ['athenz.zms.principal_authority_class', 'athenz.zms.user_authority_class']) {
      const name = values.get(key)
      if (typeof name === 'string' && Array.isArray(classes) && !classes.includes(name)) {
        problems.push(problemLine(origin(key), key, `${name} is not among ${listKey} (add it there)`))
      }
    }
  }

  const certKey = 'athenz.ts.tls_cert_file'
  const keyKey = 'athenz.ts.tls_key_file'
  if (values.has(certKey) && values.has(keyKey)) {
    const certSet = values.get(certKey) !== undefined
    if (certSet !== (values.get(keyKey) !== undefined)) {
      const [present, missing] = certSet ? [certKey, keyKey] : [keyKey, certKey]
      problems.push(problemLine(origin(present), present, `needs ${missing} as well (set it)`))
    }
  }

  const ports = ['athenz.port', 'athenz.tls_port']
  if (ports.every((key) => values.get(key) === 0) && values.get('athenz.port_uri_config') === undefined) {
    problems.push(problemLine(origin('athenz.tls_port'), 'athenz.tls_port', 'no port is open (set it, e.g. to 4443)'))
  }
  return problems
}
