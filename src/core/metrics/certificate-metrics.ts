import { X509Certificate } from 'node:crypto'
import { Gauge, type Registry } from 'prom-client'
import { subjectAttributes } from '../crypto/certificate-subject.ts'
import { pemBlocks } from '../crypto/pem.ts'
import { messageOf } from '../error/message-of.ts'
import { seldom } from '../log/seldom.ts'

/** PEM texts with certificates that are in use now. */
export type CertificateTexts = () => Promise<readonly (string | undefined)[]> | readonly (string | undefined)[]

/** What is shown of a certificate. */
interface Facts {
  readonly subject: string
  readonly serial: string
  readonly endMillis: number
}

type Shown = readonly [use: string, facts: Facts]

/** What a use has its certificates from, and what was found there last. */
interface Source {
  readonly use: string
  readonly texts: CertificateTexts
  last: readonly Facts[]
}

/** What a server shows, and whom it believes, where it is the client; PEM. */
export interface ClientMaterial {
  readonly cert?: string
  readonly ca?: readonly string[]
}

const DAY_MILLIS = 86_400_000
/** Certificates that were read are remembered by their texts, which change seldom. */
const MAX_KNOWN_TEXTS = 1000
/** Who reads the metrics must not wait for a signer that is away. */
const PATIENCE_MILLIS = 2_000

/**
 * How long the certificates of a server are still good: its own, the authorities that it trusts, the one that it issues
 * by. They are looked up when the metrics are read.
 */
export class CertificateMetrics {
  readonly #sources: Source[] = []
  readonly #known = new Map<string, readonly Facts[]>()
  #reading: Promise<readonly Shown[]> | undefined
  readonly #now: () => number
  readonly #log: (message: string) => void

  /** Adds itself to `registry`. `now` gives epoch milliseconds. */
  constructor(registry: Registry, { now, log }: { now: () => number; log: (message: string) => void }) {
    this.#now = now
    this.#log = seldom(log)
    this.#register(
      registry,
      'athenz_certificate_days_left',
      'Days until the end of a certificate that is in use; less than 0 when it has ended',
      (endMillis) => (endMillis - this.#now()) / DAY_MILLIS,
    )
    this.#register(
      registry,
      'athenz_certificate_expiry_timestamp_seconds',
      'End of a certificate that is in use, in seconds since 1970',
      (endMillis) => endMillis / 1000,
    )
  }

  /** Shows certificates, too, as what they are used for (`server`, `trust`, `signer`). */
  watch(use: string, texts: CertificateTexts): void {
    this.#sources.push({ use, texts, last: [] })
  }

  /** Shows what a server has for connections to others, as `client` and `client-trust`. */
  watchClient(material: () => ClientMaterial): void {
    this.watch('client', () => [material().cert])
    this.watch('client-trust', () => material().ca ?? [])
  }

  #register(registry: Registry, name: string, help: string, valueOf: (endMillis: number) => number): void {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['use', 'subject', 'serial'],
      registers: [],
      aggregator: 'min',
      collect: async () => {
        gauge.reset()
        for (const [use, { subject, serial, endMillis }] of await this.#all()) {
          gauge.set({ use, subject, serial }, valueOf(endMillis))
        }
      },
    })
    registry.registerMetric(gauge)
  }

  /** Both metrics are read at the same time. */
  #all(): Promise<readonly Shown[]> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined))
    return this.#reading
  }

  async #read(): Promise<readonly Shown[]> {
    const all = this.#sources.map(async (source): Promise<readonly Shown[]> => {
      const { use } = source
      try {
        const texts = await inTime(source.texts())
        source.last = texts.flatMap((text) => (text === undefined ? [] : this.#factsOf(text)))
      } catch (error) {
        this.#log(`the certificates for ${use} cannot be shown in the metrics: ${messageOf(error)}`)
      }
      return source.last.map((facts) => [use, facts])
    })
    return (await Promise.all(all)).flat()
  }

  #factsOf(text: string): readonly Facts[] {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const facts = pemBlocks(text)
      .filter(({ label }) => label === 'CERTIFICATE')
      .map((block) => {
        const certificate = new X509Certificate(block.text)
        const { serialNumber, validToDate } = certificate
        const subject = subjectAttributes(certificate).join(', ')
        return { subject, serial: serialNumber, endMillis: validToDate.getTime() }
      })
    if (this.#known.size >= MAX_KNOWN_TEXTS) this.#known.clear()
    this.#known.set(text, facts)
    return facts
  }
}

async function inTime<T>(asked: Promise<T> | T): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('no answer in time')), PATIENCE_MILLIS)
  try {
    return await Promise.race([asked, late])
  } finally {
    clearTimeout(timer)
  }
}
