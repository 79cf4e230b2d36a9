import type { ConfigOf } from '#core/config/server-tables.ts'
import { type PrincipalDomains, splitPrincipalName } from '#core/names/principal-name.ts'
import { OnceADay, startOfDay } from '#core/notification/days.ts'
import type { Notice } from '#core/notification/notice.ts'
import type { Outbox } from '#core/notification/outbox.ts'
import { Glob } from '#core/rbac/glob.ts'
import type { Domains } from '../cache/domains.ts'
import type { CertificateRecord, CertificateRecords } from '../store/certificate-records.ts'
import { administratorsOf } from './administrators.ts'

/** Parts of the server that the notices are made from. */
export interface UnrefreshedParts {
  readonly config: ConfigOf['zts']
  readonly domains: Pick<Domains, 'get' | 'names'>
  readonly certificateRecords: CertificateRecords
  readonly now: () => number
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

const HOUR_MILLIS = 3_600_000
const DAY_MILLIS = 24 * HOUR_MILLIS
/** Days until people are told of the same certificate again. */
const REPEATED_DAYS = 7

/**
 * Tells the administrators of services, once a week, of certificates from watched providers that have not been refreshed
 * for longer than the grace time. It may be run more often than once a day: then what could not be sent is tried again.
 */
export class UnrefreshedCertificates {
  readonly #parts: UnrefreshedParts
  readonly #outbox: Outbox
  readonly #ignored: readonly Glob[]
  readonly #principals: PrincipalDomains
  readonly #daily: OnceADay
  #saidImpossible = false

  constructor(parts: UnrefreshedParts, outbox: Outbox) {
    const { config, now } = parts
    this.#parts = parts
    this.#outbox = outbox
    this.#ignored = config.zts.notificationCertFailIgnoredServicesList.map((pattern) => new Glob(pattern.toLowerCase()))
    const { userDomain, homeDomain, headlessUserDomain } = config
    this.#principals = { userDomain, homeDomain, headlessUserDomain, additionalUserDomains: [] }
    this.#daily = new OnceADay({ now, work: (time) => this.#tell(time), otherwise: () => outbox.retry() })
  }

  /** Rejects when the records cannot be read. */
  run(): Promise<void> {
    return this.#daily.run()
  }

  async #tell(now: number): Promise<void> {
    const { config, domains, certificateRecords, log } = this.#parts
    const { zts } = config
    // What is claimed is told now or in a week: there must be somebody to tell.
    const [known] = domains.names()
    if (known === undefined) throw new Error('there are no domains yet')
    if (!certificateRecords.claimUnrefreshed) {
      if (!this.#saidImpossible) {
        log('warn', 'the store of certificate records cannot tell which certificates are not refreshed')
      }
      this.#saidImpossible = true
      return
    }
    const issuedBefore = now - zts.notificationCertFailGraceHours * HOUR_MILLIS
    const notSince = startOfDay(now) - (REPEATED_DAYS - 1) * DAY_MILLIS
    const notices: Notice[] = []
    for (const provider of new Set(zts.notificationCertFailProviderList)) {
      const claim = { provider, issuedBefore, server: zts.hostname, at: now, notSince }
      const records = await certificateRecords.claimUnrefreshed(claim)
      notices.push(...records.flatMap((record) => this.#noticesOf(record, now)))
    }
    await this.#outbox.deliver(notices)
  }

  #noticesOf(record: CertificateRecord, now: number): Notice[] {
    const { config, domains } = this.#parts
    const { provider, instanceId, service, hostName, currentTime, expiryTime } = record
    const parts = splitPrincipalName(service.toLowerCase())
    if (!parts || this.#ignored.some((pattern) => pattern.matches(service.toLowerCase()))) return []
    return [
      {
        topic: 'certificateRefresh',
        item: {
          domain: parts.domain,
          service: parts.name,
          provider,
          instanceId,
          ...(hostName !== undefined && { hostName }),
          updateTime: currentTime,
          ...(expiryTime !== undefined && { expiration: expiryTime }),
          server: config.zts.notificationApiHostname,
        },
        people: administratorsOf(domains, parts.domain, { principals: this.#principals, now }),
        domain: { name: parts.domain },
      },
    ]
  }
}
