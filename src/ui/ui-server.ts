import { readFile } from 'node:fs/promises'
import { ZmsClient } from '#client/zms-client.ts'
import { ConfigError } from '#core/config/config-error.ts'
import type { LoadedConfig } from '#core/config/server-config.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { FilePrivateKeyStore } from '#core/crypto/file-private-key-store.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { Container } from '#core/http/container.ts'
import { exemptNetworks } from '#core/http/open-rate-limits.ts'
import type { ReadinessCheck } from '#core/http/ops-server.ts'
import { isThisMachine } from '#core/http/receiver.ts'
import type { Logger } from '#core/log/logger.ts'
import { Closers } from '#core/main/closers.ts'
import type { RunningServer } from '#core/main/run-server.ts'
import { systemClock } from '#core/seam/clock.ts'
import { Assets } from './assets.ts'
import { CertificateSignIn } from './certificate-sign-in.ts'
import { PageServer, STATUS_PATH } from './page-server.ts'
import { PAGES } from './pages.ts'
import { Sessions } from './sessions.ts'
import { SignIn } from './sign-in.ts'

/** Header in which ZMS takes tokens of principals. */
const TOKEN_HEADER = 'athenz-principal-auth'
const MILLIS_PER_MINUTE = 60_000

/** Puts the web page together from its configuration and starts it. Throws ConfigError or Error that says what is wrong. */
export async function startUi(loaded: LoadedConfig<ConfigOf['ui']>, log: Logger): Promise<RunningServer> {
  const { config, properties } = loaded
  const { ui } = config
  const closers = new Closers()
  try {
    const privateKeyStore = new FilePrivateKeyStore(properties.get, ui.rootDir)
    requirePrivacy(ui.zmsUrl)
    const identity = await privateKeyStore.privateKey('ui', config.container.hostname)
    if (identity === undefined) throw new ConfigError(['athenz.auth.private_key_store.private_key: there is no key'])
    const client = closers.keep(
      new ZmsClient({
        url: ui.zmsUrl,
        ...(ui.zmsCaFile !== undefined && { caFile: ui.zmsCaFile }),
        readTimeoutMillis: ui.zmsTimeoutMillis,
        connectTimeoutMillis: ui.zmsTimeoutMillis,
        // People wait: who wants to try again is asked.
        retries: 1,
      }),
    )
    const signer = createSigner(identity.key, identity.keyId)
    const sessions = new Sessions({
      service: ui.service,
      signer,
      key: identity.key,
      longestMillis: ui.sessionTimeoutMinutes * MILLIS_PER_MINUTE,
      clock: systemClock,
    })
    const { certificateSignInOrigin } = ui
    const certificates =
      certificateSignInOrigin === undefined
        ? undefined
        : new CertificateSignIn({
            signer,
            service: ui.service,
            origin: certificateSignInOrigin,
            zmsUrl: ui.zmsBrowserUrl ?? ui.zmsUrl,
            clock: systemClock,
          })
    const exempt = exemptNetworks(config.ts.rateLimitExempt)
    const signIn = new SignIn({
      client,
      sessions,
      service: ui.service,
      userDomain: ui.userDomain,
      passwords: ui.passwordSignIn,
      certificates,
      tokenHeader: TOKEN_HEADER,
      linkFile: ui.signInLinkFile,
      attemptsPerMinute: ui.signInAttemptsPerMinute,
      isShared: (address) => exempt.includes(address),
      clock: systemClock,
    })
    const container = closers.keep(
      await Container.open({ config, privateKeyStore, log, specialPorts: [], vital: { paths: [STATUS_PATH] } }),
    )
    const { zmsCaFile } = ui
    if (zmsCaFile !== undefined) {
      container.certificates.watch('client-trust', async () => [await readFile(zmsCaFile, 'latin1')])
    }
    new PageServer({
      pages: PAGES,
      assets: await Assets.read(),
      sessions,
      signIn,
      certificates,
      client,
      tokenHeader: TOKEN_HEADER,
      pageSize: ui.pageSize,
      issuing: { ztsUrl: ui.ztsUrl, ztsCaFile: ui.ztsCaFile, dnsSuffix: ui.dnsSuffix },
      origin: ui.origin,
      documentationUrl: ui.documentationUrl,
      log,
      clock: systemClock,
    }).register(container.server)
    const checks = new Map<string, ReadinessCheck>([['zms', async () => void (await client.call('getStatus'))]])
    const addresses = await container.listen(checks)
    return { addresses, close: () => closers.close() }
  } catch (error) {
    await closers.close()
    throw error
  }
}

/** Passwords and tokens go to ZMS: over TLS, or not over a network at all. */
function requirePrivacy(zmsUrl: string): void {
  const { protocol, hostname } = new URL(zmsUrl)
  if (protocol === 'https:' || isThisMachine(hostname)) return
  throw new ConfigError([
    `athenz.ui.zms_url: ${zmsUrl} would carry passwords unencrypted (write https://, or http:// for this machine)`,
  ])
}
