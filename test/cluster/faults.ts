import { setTimeout as pause } from 'node:timers/promises'
import type { GaleraCluster } from './galera-cluster.ts'

/** Something that goes wrong. It begins, lasts for a while, and ends; afterwards the cluster has to be whole by itself. */
export interface Fault {
  readonly name: string
  /** Whether nothing is left of the database while it lasts: then no ZMS is ready. */
  readonly leavesNothing?: boolean
  readonly begin: (cluster: GaleraCluster) => Promise<void>
  readonly end: (cluster: GaleraCluster) => Promise<void>
}

const namesOf = (numbers: readonly number[]) =>
  numbers.length === 3 ? 'all nodes' : `node${numbers.length > 1 ? 's' : ''} ${numbers.join(' and ')}`

const all = async (numbers: readonly number[], act: (number: number) => Promise<void>) => {
  await Promise.all(numbers.map(act))
}

const killed = (...numbers: readonly number[]): Fault => ({
  name: `kill ${namesOf(numbers)}`,
  leavesNothing: numbers.length === 3,
  begin: (cluster) => all(numbers, (number) => cluster.node(number).kill()),
  end: (cluster) => all(numbers, (number) => cluster.node(number).start()),
})

const paused = (...numbers: readonly number[]): Fault => ({
  name: `pause ${namesOf(numbers)}`,
  begin: (cluster) => all(numbers, async (number) => cluster.node(number).signal('SIGSTOP')),
  end: (cluster) => all(numbers, async (number) => cluster.node(number).signal('SIGCONT')),
})

const cutFromNodes = (number: number): Fault => ({
  name: `cut ${namesOf([number])} off from the other nodes`,
  begin: (cluster) => cluster.network.cut(number, 'replication'),
  end: (cluster) => cluster.network.heal(number, 'replication'),
})

const cutFromServers = (number: number): Fault => ({
  name: `cut ${namesOf([number])} off from ZMS`,
  begin: (cluster) => cluster.network.cut(number, 'clients'),
  end: (cluster) => cluster.network.heal(number, 'clients'),
})

const cutFromAll = (number: number): Fault => ({
  name: `cut ${namesOf([number])} off from everybody`,
  begin: async (cluster) => {
    await cluster.network.cut(number, 'replication')
    await cluster.network.cut(number, 'clients')
  },
  end: async (cluster) => {
    await cluster.network.heal(number, 'clients')
    await cluster.network.heal(number, 'replication')
  },
})

const backedUp = (number: number): Fault => ({
  name: `keep ${namesOf([number])} from taking in what others commit`,
  begin: (cluster) => cluster.node(number).beginBackup(),
  end: async (cluster) => cluster.node(number).endBackup(),
})

const allCutApart: Fault = {
  name: 'cut all nodes off from each other',
  begin: (cluster) => all([1, 2, 3], (number) => cluster.network.cut(number, 'replication')),
  end: (cluster) => all([1, 2, 3], (number) => cluster.network.heal(number, 'replication')),
}

/** The network breaks again and again for less than it takes to notice. */
const shaken = (number: number, times: number): Fault => ({
  name: `shake the cable of ${namesOf([number])}`,
  begin: async (cluster) => {
    for (let time = 0; time < times; time++) {
      await cluster.network.cut(number, 'replication')
      await pause(300)
      await cluster.network.heal(number, 'replication')
      await pause(200)
    }
  },
  end: async () => {},
})

/** What fits into a minute: one of each kind. ZMS prefer the nodes 1 and 2. */
export const SHORT_FAULTS: readonly Fault[] = [killed(1), backedUp(2), cutFromNodes(2), paused(1), killed(1, 2, 3)]

/** Every kind, at every node that makes a difference. */
export const ALL_FAULTS: readonly Fault[] = [
  killed(1),
  killed(2),
  killed(3),
  paused(1),
  paused(2),
  cutFromNodes(1),
  cutFromNodes(2),
  cutFromServers(1),
  backedUp(1),
  backedUp(2),
  cutFromAll(2),
  shaken(1, 6),
  killed(1, 2),
  paused(1, 3),
  allCutApart,
  killed(1, 2, 3),
]
