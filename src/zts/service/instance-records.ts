import type { X509Certificate } from 'node:crypto'
import { messageOf } from '#core/error/message-of.ts'
import { conflict, forbidden, ServiceError } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import type { CertificateRecord } from '../store/certificate-records.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { type IssuedCertificate, serialOf } from './instance-certificate.ts'

/** What records of certificates are kept with. */
export type InstanceRecordDependencies = Pick<ZtsDependencies, 'config' | 'certificateRecords' | 'now' | 'log'>

/** The key of a record. */
export interface RecordKey {
  readonly provider: string
  readonly instanceId: string
  /** Full name. */
  readonly service: string
}

/** What is known of an instance beside its certificate. */
export interface RecordFacts {
  readonly remoteAddress: string
  readonly hostname: string | undefined
  readonly siaProvider: string | undefined
  readonly clientCert: boolean
}

/** Serial of revoked records: no certificate has it. */
const REVOKED_SERIAL = '-1'
/** How often a renewal looks again when others renew the same certificate at the same time. */
const ATTEMPTS = 5
const SIA_AGENT = /^SIA-([!-~]{1,256})(?:\s|$)/

/** Provider named by the agent on a host, in its `User-Agent` (`SIA-{provider} …`). */
export const siaProviderOf = (context: Pick<RequestContext, 'header'>): string | undefined =>
  SIA_AGENT.exec(context.header('user-agent') ?? '')?.[1]

/** Which certificates instances have, and whether one that is presented still is good for a renewal. */
export class InstanceRecords {
  readonly #deps: InstanceRecordDependencies

  constructor(deps: InstanceRecordDependencies) {
    this.#deps = deps
  }

  /** Notes the first certificate of an instance. */
  async register(key: RecordKey, issued: IssuedCertificate, facts: RecordFacts): Promise<void> {
    await this.#kept(() => this.#deps.certificateRecords.insert(firstRecord(key, issued, facts)))
  }

  /**
   * Judges a certificate that is presented for a renewal: the current one of its instance, the one before, or, from before
   * the time of a reset, any. Another one means that somebody has a copy: then no certificate of the instance can be
   * renewed any more.
   * @throws ServiceError `forbidden` for a certificate that is not good
   */
  async judge(key: RecordKey, presented: X509Certificate): Promise<CertificateRecord | undefined> {
    for (let attempt = 1; ; attempt++) {
      const found = await this.#deps.certificateRecords.get(key.provider, key.instanceId, key.service)
      const verdict = verdictOn(found, presented, this.#deps.config.zts.certRefreshResetTimeMillis.value)
      if (verdict === 'unknown') throw forbidden('Unable to find certificate record')
      if (verdict === 'good' || found === undefined) return found
      if (await this.#revoke(found)) throw forbidden('Certificate revoked')
      if (attempt === ATTEMPTS) throw busy()
    }
  }

  /** Notes the next certificate of an instance; `found` is the record that `judge` gave. */
  async refresh(
    found: CertificateRecord | undefined,
    key: RecordKey,
    presented: X509Certificate,
    issued: IssuedCertificate,
    facts: RecordFacts,
  ): Promise<void> {
    let latest = found
    for (let attempt = 1; ; attempt++) {
      if (await this.#kept(() => this.#replace(latest, key, presented, issued, facts))) return
      if (attempt === ATTEMPTS) throw busy()
      // Somebody else has renewed or revoked it meanwhile: the certificate may have become the one before, or worse.
      latest = await this.judge(key, presented)
    }
  }

  async delete({ provider, instanceId, service }: RecordKey): Promise<void> {
    await this.#deps.certificateRecords.delete(provider, instanceId, service)
  }

  async #replace(
    found: CertificateRecord | undefined,
    key: RecordKey,
    presented: X509Certificate,
    issued: IssuedCertificate,
    facts: RecordFacts,
  ): Promise<boolean> {
    const { certificateRecords, now } = this.#deps
    if (found === undefined) {
      await certificateRecords.insert(firstRecord(key, issued, facts))
      return true
    }
    return certificateRecords.update(nextRecord(found, presented, issued, facts, now()), found.currentSerial)
  }

  async #revoke(found: CertificateRecord): Promise<boolean> {
    const { certificateRecords, log } = this.#deps
    if (found.currentSerial === REVOKED_SERIAL) return true
    const revoked = { ...found, currentSerial: REVOKED_SERIAL, prevSerial: REVOKED_SERIAL }
    if (!(await certificateRecords.update(revoked, found.currentSerial))) return false
    const { service, instanceId, provider } = found
    log('warn', `instance ${instanceId} of ${service} (${provider}) is revoked: an older certificate was presented`)
    return true
  }

  /** A store that is away says so itself. */
  async #kept<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      if (cause instanceof ServiceError) throw cause
      const detail = messageOf(cause)
      throw new ServiceError('internal', 'unable to update cert db', { cause, detail })
    }
  }
}

const busy = () => conflict('Concurrent update conflict, please retry your operation later.')

function verdictOn(
  found: CertificateRecord | undefined,
  presented: X509Certificate,
  resetTime: number,
): 'good' | 'unknown' | 'revoked' {
  const issuedAt = presented.validFromDate.getTime()
  if (found === undefined) return issuedAt < resetTime ? 'good' : 'unknown'
  const serial = serialOf(presented)
  if (serial === found.currentSerial || serial === found.prevSerial) return 'good'
  return issuedAt <= resetTime ? 'good' : 'revoked'
}

const firstRecord = (key: RecordKey, issued: IssuedCertificate, facts: RecordFacts): CertificateRecord => ({
  ...key,
  currentSerial: issued.serial,
  currentTime: issued.notBefore,
  currentIp: facts.remoteAddress,
  prevSerial: issued.serial,
  prevTime: issued.notBefore,
  prevIp: facts.remoteAddress,
  clientCert: facts.clientCert,
  expiryTime: issued.notAfter,
  hostName: facts.hostname,
  siaProvider: facts.siaProvider,
})

/** The current certificate becomes the one before only when it is the one that was presented. */
function nextRecord(
  found: CertificateRecord,
  presented: X509Certificate,
  issued: IssuedCertificate,
  facts: RecordFacts,
  now: number,
): CertificateRecord {
  const moved = found.currentIp !== facts.remoteAddress || found.hostName !== facts.hostname
  return {
    ...found,
    ...(serialOf(presented) === found.currentSerial && {
      prevSerial: found.currentSerial,
      prevTime: found.currentTime,
      prevIp: found.currentIp,
    }),
    currentSerial: issued.serial,
    currentTime: issued.notBefore,
    currentIp: facts.remoteAddress,
    expiryTime: issued.notAfter,
    hostName: facts.hostname,
    siaProvider: facts.siaProvider ?? found.siaProvider,
    ...(moved && { svcDataUpdateTime: now }),
  }
}
