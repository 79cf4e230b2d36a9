import type { KeyObject } from 'node:crypto'
import { loadPublicKey } from '#core/crypto/keys.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import { CompiledDomain, type DomainContent } from './compiled-domain.ts'
import { type DomainData, readDomainData } from './domain-data.ts'
import type { Domains } from './domains.ts'
import type { CachedService } from './model.ts'

const NONE: readonly string[] = Object.freeze([])

/**
 * The domains in memory. A change costs what the changed domain costs, whatever the number of the others: what is looked
 * up across domains is kept up by the services that come and go with it.
 */
export class MemoryDomains implements Domains {
  readonly #domains = new Map<string, CompiledDomain>()
  readonly #byHost = new Map<string, Set<string>>()
  readonly #byClient = new Map<string, Set<string>>()
  /** Parsed keys by id; null for a text that is no key. They go when the service goes. */
  readonly #keys = new WeakMap<CachedService, Map<string, KeyObject | null>>()
  readonly #listeners = new Set<(name: string) => void>()

  get size(): number {
    return this.#domains.size
  }

  get(name: string): CompiledDomain | undefined {
    return this.#domains.get(name)
  }

  names(): Iterable<string> {
    return this.#domains.keys()
  }

  publicKey(domain: string, service: string, keyId: string): KeyObject | undefined {
    const found = this.#domains.get(domain)?.services.get(service)
    if (found === undefined) return undefined
    const id = found.publicKeys.has(keyId) ? keyId : keyId.toLowerCase()
    const text = found.publicKeys.get(id)
    if (text === undefined) return undefined
    let parsed = this.#keys.get(found)
    if (parsed === undefined) this.#keys.set(found, (parsed = new Map()))
    let key = parsed.get(id)
    if (key === undefined) parsed.set(id, (key = keyOrNull(text)))
    return key ?? undefined
  }

  servicesOnHost(host: string): readonly string[] {
    const services = this.#byHost.get(host)
    return services === undefined ? NONE : [...services]
  }

  /** Undefined when several services claim the id, too: none of them can be told from the others. */
  serviceOfClient(clientId: string): string | undefined {
    const services = this.#byClient.get(clientId)
    if (services?.size !== 1) return undefined
    const [service] = services
    return service
  }

  onChange(listener: (name: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes over the JSON of a DomainData as {@link MemoryDomains.put} does. Throws MalformedDomain. */
  read(value: unknown): DomainData {
    const data = readDomainData(value)
    this.put(data)
    return data
  }

  /** Replaces a domain as a whole, or removes it when it is disabled. */
  put(data: DomainData): void {
    if (data.enabled) this.#replace(this.#compiled(data.content))
    else this.remove(data.name)
  }

  /** The same, but a large domain takes its place only when it is ready for questions. */
  async putPrepared(data: DomainData): Promise<void> {
    if (!data.enabled) {
      this.remove(data.name)
      return
    }
    const domain = this.#compiled(data.content)
    await domain.prepare()
    this.#replace(domain)
  }

  /** Forgets a domain; false when it was not there. */
  remove(name: string): boolean {
    const former = this.#domains.get(name)
    if (former === undefined) return false
    this.#domains.delete(name)
    this.#unlist(former)
    this.#tell(name)
    return true
  }

  #compiled(content: DomainContent): CompiledDomain {
    return new CompiledDomain(content, (name) => this.#domains.get(name))
  }

  #replace(domain: CompiledDomain): void {
    const { name } = domain
    const former = this.#domains.get(name)
    this.#domains.set(name, domain)
    this.#unlist(former)
    this.#list(domain)
    this.#tell(name)
  }

  #list({ name, services }: CompiledDomain): void {
    for (const service of services.values()) {
      const fullName = serviceFullName(name, service.name)
      for (const host of service.hosts ?? []) add(this.#byHost, host, fullName)
      if (service.clientId !== undefined) add(this.#byClient, service.clientId, fullName)
    }
  }

  #unlist(former: CompiledDomain | undefined): void {
    for (const service of former?.services.values() ?? []) {
      const fullName = serviceFullName((former as CompiledDomain).name, service.name)
      for (const host of service.hosts ?? []) drop(this.#byHost, host, fullName)
      if (service.clientId !== undefined) drop(this.#byClient, service.clientId, fullName)
    }
  }

  #tell(name: string): void {
    for (const listener of this.#listeners) listener(name)
  }
}

function add(index: Map<string, Set<string>>, key: string, value: string): void {
  const values = index.get(key)
  if (values === undefined) index.set(key, new Set([value]))
  else values.add(value)
}

function drop(index: Map<string, Set<string>>, key: string, value: string): void {
  const values = index.get(key)
  if (values?.delete(value) && values.size === 0) index.delete(key)
}

function keyOrNull(text: string): KeyObject | null {
  try {
    return loadPublicKey(text)
  } catch {
    return null
  }
}
