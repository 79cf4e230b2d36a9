import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { certificateFiles } from '#client/certificate-files.ts'
import type { Identity } from '#client/identity.ts'
import { apiUrl } from '#client/server-url.ts'
import { ZtsClient } from '#client/zts-client.ts'
import { loadPublicKey } from '#core/crypto/keys.ts'
import { Closers } from '#core/main/closers.ts'
import { type Clock, systemClock } from '#core/seam/clock.ts'
import { athenzConfKeys, jsonWebKeyFileKeys, KeyFile } from '#zpe/key-files.ts'
import type { PolicyVerification } from '#zpe/policy-document.ts'
import type { ZpeLog } from '#zpe/policy-folder.ts'
import { PublicKeys } from '#zpe/public-keys.ts'
import { RemoteKeySet } from '#zpe/remote-key-set.ts'
import { PolicyUpdater } from './policy-updater.ts'
import type { ZpuConfig } from './zpu-config.ts'

/** What the updater is opened with. */
export interface OpenUpdaterOptions {
  readonly config: ZpuConfig
  /** `athenz.conf` with the public keys. */
  readonly athenzConf: string
  /** Folder of an agent, whose `athenz.conf` has further keys. */
  readonly siaFolder: string
  readonly ztsUrl: string
  readonly proxyUrl: string | undefined
  readonly log: ZpeLog
  readonly clock?: Clock
}

/** An updater with what it verifies by. */
export interface OpenedUpdater extends AsyncDisposable {
  readonly updater: PolicyUpdater
  readonly verification: PolicyVerification
}

const KEY_LOOK_MILLIS = 10_000
const KEY_COOL_DOWN_MILLIS = 30 * 60_000
const API_ROOT = '/zts/v1'

/**
 * Puts the updater together.
 * @throws AthenzClientError when certificate or key cannot be used, or the URL is none
 */
export async function openUpdater(options: OpenUpdaterOptions): Promise<OpenedUpdater> {
  const { config, athenzConf, siaFolder, ztsUrl, proxyUrl, log, clock = systemClock } = options
  const { certificateFile, privateKeyFile: keyFile, authoritiesFile } = config
  const closers = new Closers()
  const url = apiUrl(ztsUrl, API_ROOT)
  const identity = keyFile === undefined ? undefined : await identityOf(keyFile, certificateFile, log)
  if (identity?.close) closers.add(identity.close)
  const zts = closers.keep(
    new ZtsClient({
      url: url.href,
      prefetch: false,
      accessTokenFolder: false,
      // Every domain may wait for its news at the same time.
      connections: config.domains.length + 1,
      ...(identity && { identity }),
      ...(authoritiesFile !== undefined && { caFile: authoritiesFile }),
      ...(proxyUrl !== undefined && { proxyUrl }),
    }),
  )
  const agentFile = join(siaFolder, 'athenz.conf')
  const keys = closers.keep(
    await PublicKeys.open({
      files: [
        new KeyFile(athenzConf, (text) => athenzConfKeys(text, athenzConf), log),
        new KeyFile(agentFile, jsonWebKeyFileKeys, log),
      ],
      remote: new RemoteKeySet({
        url: new URL(`${url.href}/oauth2/keys?rfc=true`),
        proxyUrl,
        certificateFile,
        keyFile,
        authoritiesFile,
        coolDownMillis: KEY_COOL_DOWN_MILLIS,
        clock,
        log,
      }),
      zmsKey: (keyId) => zmsKey(zts, keyId, log),
      lookMillis: KEY_LOOK_MILLIS,
      remoteMillis: KEY_COOL_DOWN_MILLIS,
    }),
  )
  const verification = { keys, checkZmsSignature: config.checkZmsSignature }
  return {
    updater: new PolicyUpdater({ config, zts, verification, clock }),
    verification,
    [Symbol.asyncDispose]: () => closers.close(),
  }
}

async function identityOf(key: string, certificate: string | undefined, log: ZpeLog): Promise<Identity> {
  const onError = (error: unknown) => log('warn', `the certificate stays in use: ${String(error)}`)
  return certificateFiles({ key, ...(certificate !== undefined && { certificate }), onError })
}

async function zmsKey(zts: ZtsClient, keyId: string, log: ZpeLog): Promise<KeyObject | undefined> {
  try {
    const { key } = await zts.call('getPublicKeyEntry', { domainName: 'sys.auth', serviceName: 'zms', keyId })
    return loadPublicKey(key)
  } catch (error) {
    log('warn', `the key ${JSON.stringify(keyId)} of ZMS cannot be had from ZTS: ${String(error)}`)
    return undefined
  }
}
