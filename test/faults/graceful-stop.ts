import type { Fault } from './fault.ts'
import { type FaultServerName, FaultServers, type StartOptions } from './fault-servers.ts'
import { requestText } from './pipelining-client.ts'
import { NumberedMembers, type Requests, type StopLoad, type StopOutcome, stopUnderLoad } from './stop-under-load.ts'

const CHANGES = '/zms/v1/sys/modified_domains?metaonly=true'
const POLICIES = '/zts/v1/domain/sys.auth/signed_policy_data'
const ACCESS: Requests = () => requestText('GET', '/zts/v1/access/read/sys.auth:thing')
/** What is written in a round has numbers of its own. */
const ROUND_NUMBERS = 1_000_000

type Form = Pick<StartOptions, 'workers'>

/** Single processes, and servers of several. */
const FORMS: readonly Form[] = [{}, { workers: 2 }]

/** Both servers are stopped by SIGTERM under load. */
export const gracefulStop: Fault = {
  name: 'stop',
  what: 'SIGTERM while many kept connections send pipelined requests and others wait for news, or are silent',
  async attempt({ dir, size, report }) {
    const [rounds, connections] = size === 'long' ? [20, 100] : [1, 20]
    await using servers = await FaultServers.make(dir, { zts: true })
    let zms = await servers.start('zms', FORMS[0])
    const members = await NumberedMembers.prepare(zms, 'stops', connections)
    let first = 0
    for (const [index, form] of FORMS.entries()) {
      const sums: Record<FaultServerName, Sum> = { zms: new Sum(), zts: new Sum() }
      for (let round = 0; round < rounds; round++) {
        const stopZms = async (load: Omit<StopLoad, 'connections'>, next: Form): Promise<StopOutcome> => {
          const outcome = await stopUnderLoad(servers, zms, { ...load, connections })
          sums.zms.add(outcome)
          zms = await servers.start('zms', next)
          return outcome
        }
        first += ROUND_NUMBERS
        const { stories } = await stopZms({ requests: members.additions(first) }, form)
        await members.assertWritten(zms, stories, first)
        const isLast = round === rounds - 1
        await stopZms({ requests: members.reads, awaited: CHANGES }, isLast ? (FORMS[index + 1] ?? form) : form)
      }
      for (let round = 0; round < rounds; round++) {
        const zts = await servers.start('zts', form)
        await zts.becomes(200)
        sums.zts.add(await stopUnderLoad(servers, zts, { connections, requests: ACCESS, awaited: POLICIES }))
      }
      for (const [name, sum] of Object.entries(sums)) {
        report(`${name}${form.workers === undefined ? '' : ` with ${form.workers} workers`}: ${sum.story}`)
      }
    }
  },
}

/** What came of several stops. */
class Sum {
  #stops = 0
  #connections = 0
  #answered = 0
  #unserved = 0
  #longestMillis = 0

  add({ stories, millis }: StopOutcome): void {
    this.#stops++
    this.#connections += stories.length
    for (const { statuses, sent } of stories) {
      this.#answered += statuses.length
      this.#unserved += sent - statuses.length
    }
    this.#longestMillis = Math.max(this.#longestMillis, millis)
  }

  get story(): string {
    const seconds = (this.#longestMillis / 1000).toFixed(1)
    return `${this.#stops} stops, ${this.#connections} connections: ${this.#answered} requests answered, none lost; ${this.#unserved} came behind the announced end and were not served; at most ${seconds} s`
  }
}
