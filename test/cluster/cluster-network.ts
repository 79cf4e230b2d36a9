import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What a node of the cluster has a network of its own for. */
export type Link = 'clients' | 'replication'

const SUBNETS: Readonly<Record<Link, string>> = { clients: '10.77.1', replication: '10.77.2' }
const BRIDGES: Readonly<Record<Link, string>> = { clients: 'br-clients', replication: 'br-replication' }
/** The last byte of this process' own address. */
const OWN = 254

/**
 * Network namespaces, one for each node of a cluster, each with a cable to clients and another one to the other nodes, which
 * can be pulled. This process has to be in a network namespace of its own, as root of it; with that all of it disappears.
 */
export class ClusterNetwork {
  readonly #holders: readonly ChildProcess[]

  private constructor(holders: readonly ChildProcess[]) {
    this.#holders = holders
  }

  /** Lays cables to nodes 1 to `nodes`. */
  static async lay(nodes: number): Promise<ClusterNetwork> {
    await run('ip', ['link', 'set', 'lo', 'up'])
    for (const link of LINKS) {
      await run('ip', ['link', 'add', BRIDGES[link], 'type', 'bridge'])
      await run('ip', ['address', 'add', `${SUBNETS[link]}.${OWN}/24`, 'dev', BRIDGES[link]])
      await run('ip', ['link', 'set', BRIDGES[link], 'up'])
    }
    const holders: ChildProcess[] = []
    const network = new ClusterNetwork(holders)
    for (let node = 1; node <= nodes; node++) {
      holders.push(await holdNamespace())
      await network.#inside(node, ['ip', 'link', 'set', 'lo', 'up'])
      for (const link of LINKS) await network.#connect(node, link)
    }
    return network
  }

  /** Address of a node on one of its networks. */
  address(node: number, link: Link): string {
    return `${SUBNETS[link]}.${node}`
  }

  /** A command line that runs a program where a node is. */
  command(node: number, program: readonly string[]): [command: string, ...args: string[]] {
    return ['nsenter', `--net=/proc/${this.#holders[node - 1]?.pid}/ns/net`, '--', ...program]
  }

  /** Pulls a cable: nothing gets through from now on, and nobody is told. */
  async cut(node: number, link: Link): Promise<void> {
    await run('ip', ['link', 'set', deviceOf(node, link), 'down'])
  }

  async heal(node: number, link: Link): Promise<void> {
    await run('ip', ['link', 'set', deviceOf(node, link), 'up'])
  }

  /** Ends the namespaces; programs in them have to have ended. */
  close(): void {
    for (const holder of this.#holders) holder.stdin?.end()
  }

  async #connect(node: number, link: Link): Promise<void> {
    const [device, inner] = [deviceOf(node, link), `inner-${link}`.slice(0, 15)]
    await run('ip', ['link', 'add', device, 'type', 'veth', 'peer', 'name', inner])
    await run('ip', ['link', 'set', inner, 'netns', String(this.#holders[node - 1]?.pid)])
    await run('ip', ['link', 'set', device, 'master', BRIDGES[link], 'up'])
    await this.#inside(node, ['ip', 'address', 'add', `${this.address(node, link)}/24`, 'dev', inner])
    await this.#inside(node, ['ip', 'link', 'set', inner, 'up'])
  }

  async #inside(node: number, program: readonly string[]): Promise<void> {
    const [command, ...args] = this.command(node, program)
    await run(command, args)
  }
}

const LINKS: readonly Link[] = ['clients', 'replication']

const deviceOf = (node: number, link: Link) => `node${node}-${link}`.slice(0, 15)

/** A process that keeps a network namespace until its input ends. */
async function holdNamespace(): Promise<ChildProcess> {
  const holder = spawn('unshare', ['--net', 'sh', '-c', 'echo ready; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(createInterface(holder.stdout), 'line')
  return holder
}
