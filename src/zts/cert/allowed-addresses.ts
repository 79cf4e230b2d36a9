import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { resolve } from 'node:path'
import { z } from 'zod'
import { readConfigFile } from '#core/config/config-file.ts'
import { messageOf } from '#core/error/message-of.ts'

/** Files with networks, and where relative names in them count from. */
export interface AllowedAddressFiles {
  /** Networks from which services may ask for their next certificate. */
  readonly services: string | undefined
  /** Names of such files by provider. */
  readonly providers: string | undefined
  readonly rootDirectory: string
}

type Log = (level: 'info' | 'warn' | 'error', message: string) => void

const PROPERTIES = {
  services: 'athenz.zts.cert_refresh_ip_fname',
  providers: 'athenz.zts.instance_cert_ip_fname',
} as const

const RELOAD_MILLIS = 3_600_000

const NetworksFile = z.object({
  prefixes: z.array(z.object({ ip_prefix: z.string().optional(), ipv6_prefix: z.string().optional() })).optional(),
  ipv6_prefixes: z.array(z.object({ ipv6_prefix: z.string() })).optional(),
})
const ProvidersFile = z.object({
  ipblocks: z.array(z.object({ filename: z.string().nullish(), providers: z.array(z.string()) })),
})

/** Networks; none at all stand for any address. */
interface Networks {
  readonly count: number
  readonly list: BlockList
}

/**
 * From which addresses certificates are given. The files are read again every hour; what cannot be read, or has lost more
 * than a quarter of the networks of before, leaves the old ones in force.
 */
export class AllowedAddresses {
  readonly #files: AllowedAddressFiles
  readonly #log: Log
  readonly #timer: NodeJS.Timeout
  #services: Networks | undefined
  #providers: ReadonlyMap<string, Networks> | undefined

  /** Reads the files for the first time. Throws a ConfigError that says what cannot be used. */
  static async open(files: AllowedAddressFiles, log: Log): Promise<AllowedAddresses> {
    const [services, providers] = await Promise.all([readServices(files), readProviders(files)])
    return new AllowedAddresses(files, log, services, providers)
  }

  private constructor(
    files: AllowedAddressFiles,
    log: Log,
    services: Networks | undefined,
    providers: ReadonlyMap<string, Networks> | undefined,
  ) {
    this.#files = files
    this.#log = log
    this.#services = services
    this.#providers = providers
    this.#timer = setInterval(() => void this.reload(), RELOAD_MILLIS)
    this.#timer.unref()
  }

  /** Whether a service may ask for its next certificate from there. */
  allowsService(address: string): boolean {
    return this.#services === undefined || contains(this.#services, address)
  }

  /** Whether instances of a provider (full name) may ask from there; not for one without an entry when others have one. */
  allowsProvider(provider: string, address: string): boolean {
    if (this.#providers === undefined || this.#providers.size === 0) return true
    const networks = this.#providers.get(provider)
    return networks !== undefined && contains(networks, address)
  }

  /** Reads the files again. Never rejects. */
  async reload(): Promise<void> {
    const read = async <T>(reading: Promise<T | undefined>): Promise<T | undefined> => {
      try {
        return await reading
      } catch (error) {
        this.#log('error', `${messageOf(error)}; what was read before stays`)
        return undefined
      }
    }
    const services = await read(readServices(this.#files))
    if (services && this.#keeps('services', this.#services, services)) this.#services = services
    const providers = await read(readProviders(this.#files))
    if (providers) this.#providers = this.#mergedProviders(providers)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #mergedProviders(read: ReadonlyMap<string, Networks>): ReadonlyMap<string, Networks> {
    const merged = new Map(this.#providers)
    for (const provider of merged.keys()) {
      if (!read.has(provider)) this.#log('error', `the networks of provider ${provider} are gone; the old ones stay`)
    }
    for (const [provider, networks] of read) {
      if (this.#keeps(`provider ${provider}`, merged.get(provider), networks)) merged.set(provider, networks)
    }
    return merged
  }

  #keeps(whose: string, known: Networks | undefined, read: Networks): boolean {
    if (known === undefined || known.count - read.count <= Math.floor(known.count / 4)) return true
    this.#log(
      'error',
      `${read.count} networks of ${whose} instead of ${known.count}: too many are gone, the old ones stay`,
    )
    return false
  }
}

function contains({ count, list }: Networks, address: string): boolean {
  if (count === 0) return true
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  if (isIPv4(plain)) return list.check(plain, 'ipv4')
  return isIPv6(plain) && list.check(plain, 'ipv6')
}

async function readServices({ services }: AllowedAddressFiles): Promise<Networks | undefined> {
  return services === undefined ? undefined : readNetworks(PROPERTIES.services, services)
}

async function readProviders(files: AllowedAddressFiles): Promise<ReadonlyMap<string, Networks> | undefined> {
  const { providers: file, rootDirectory } = files
  if (file === undefined) return undefined
  const { ipblocks } = await readConfigFile(PROPERTIES.providers, file, (text) => ProvidersFile.parse(JSON.parse(text)))
  const byProvider = new Map<string, Networks>()
  for (const { filename, providers } of ipblocks) {
    const networks = filename
      ? await readNetworks(PROPERTIES.providers, resolve(rootDirectory, filename))
      : { count: 0, list: new BlockList() }
    for (const provider of providers) byProvider.set(provider.toLowerCase(), networks)
  }
  return byProvider
}

function readNetworks(property: string, file: string): Promise<Networks> {
  return readConfigFile(property, file, (text) => {
    const { prefixes = [], ipv6_prefixes: more = [] } = NetworksFile.parse(JSON.parse(text))
    const networks = [...prefixes, ...more].flatMap((entry) => [
      'ip_prefix' in entry ? entry.ip_prefix : undefined,
      entry.ipv6_prefix,
    ])
    const list = new BlockList()
    let count = 0
    for (const network of networks) {
      if (network === undefined) continue
      const [address = '', bits] = network.split('/')
      const family = isIPv4(address) ? 'ipv4' : 'ipv6'
      list.addSubnet(address, Number(bits ?? (family === 'ipv4' ? 32 : 128)), family)
      count++
    }
    if (count === 0) throw new Error('it names no network')
    return { count, list }
  })
}
