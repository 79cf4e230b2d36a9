import { BlockList, isIP } from 'node:net'

/** Addresses and networks of them. */
export class Networks {
  readonly #list: BlockList

  private constructor(list: BlockList) {
    this.#list = list
  }

  /** Reads addresses and networks such as `10.1.0.0/16`. Throws Error that names the property and the wrong entry. */
  static read(entries: readonly string[], property: string): Networks {
    const list = new BlockList()
    for (const entry of entries) {
      const [address = '', bits, ...others] = entry.split('/')
      const version = isIP(address)
      const wholeBits = version === 6 ? 128 : 32
      const isNetwork = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= wholeBits)
      if (version === 0 || others.length > 0 || !isNetwork) {
        throw new Error(`${property}: "${entry}" is neither an address nor a network (write 10.1.2.3 or 10.1.0.0/16)`)
      }
      list.addSubnet(address, Number(bits ?? wholeBits), version === 6 ? 'ipv6' : 'ipv4')
    }
    return new Networks(list)
  }

  includes(address: string): boolean {
    const version = isIP(address)
    return version !== 0 && this.#list.check(address, version === 6 ? 'ipv6' : 'ipv4')
  }
}
