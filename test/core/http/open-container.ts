import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadServerConfig } from '#core/config/server-config.ts'
import { Container } from '#core/http/container.ts'
import { ok } from '#core/http/endpoint.ts'
import { registerEndpoints } from '#core/http/register.ts'
import { silentLogger } from '#core/log/logger.ts'
import { type FakeOptions, fakeRegistration, type TestPki } from './support.ts'

/** A container with these properties, over the fakes. */
export async function openContainer(
  pki: TestPki,
  root: string,
  properties: Record<string, string | number>,
  { handlers, registration: changed }: Pick<FakeOptions, 'handlers' | 'registration'> = {},
) {
  const file = join(root, 'zms.properties')
  const { key, certificate, trust } = pki.files
  const all = {
    'athenz.port': 0,
    'athenz.tls_port': 0,
    'athenz.listen_host': '127.0.0.1',
    'athenz.ts.tls_key_file': key.file,
    'athenz.ts.tls_cert_file': certificate?.file,
    'athenz.ts.tls_ca_file': trust?.file,
    'athenz.access_log_dir': join(root, 'logs'),
    ...properties,
  }
  writeFileSync(
    file,
    Object.entries(all)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  )
  const { config } = await loadServerConfig({
    server: 'zms',
    rootDir: root,
    files: [file],
    env: {},
    hostname: 'zms.example.com',
  })
  const privateKeyStore = { applicationSecret: async (_app: unknown, _group: unknown, name: string) => name } as never
  const specialPorts = [config.container.statusPort]
  const container = await Container.open({
    config,
    privateKeyStore,
    log: silentLogger(),
    specialPorts,
    vital: { paths: ['/api/v1/status'], port: config.container.statusPort },
  })
  const registration = fakeRegistration({
    handlers: { getOpen: () => ok({ text: 'x'.repeat(4000) }), ...handlers },
    ...(changed && { registration: changed }),
  })
  registerEndpoints(container.server, {
    ...registration,
    authenticator: container.limited(registration.authenticator),
  })
  await container.listen(new Map())
  return { container, [Symbol.asyncDispose]: () => container.close() }
}
