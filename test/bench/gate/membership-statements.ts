import { setTimeout as delay } from 'node:timers/promises'
import { prepareZms } from '../bench-zms.ts'
import { requestText } from '../request-text.ts'
import { fillSuite, SIZED_ROLE, sizedDomainName } from '../suite/suite-data.ts'
import { sqlStatements } from './sql-statements.ts'

/** What writing one membership into a role asks of the database. */
export interface MembershipStatements {
  /** Members that the role had. */
  readonly members: number
  readonly statements: readonly string[]
}

const ASSERTIONS = 10
/** The first writes load the domain and prepare statements; background jobs may disturb one more. */
const WARMING_WRITES = 3
const COUNTED_WRITES = 3
/** The count of a request ends when the server is done with what follows its answer. */
const SETTLING_MILLIS = 50

/** Writes a membership into roles of these sizes, with ZMS on MariaDB; of several writes to each the one with the fewest statements. */
export async function membershipStatements(sizes: readonly number[]): Promise<MembershipStatements[]> {
  const domains = sizes.map((members) => ({ members, assertions: ASSERTIONS }))
  await using zms = await prepareZms('mysql', (store) => fillSuite(store, 1, domains))
  await using servers = await zms.start({ 'athenz.zms.quota_role_member': '100000000' })
  const { database } = zms
  if (database === undefined) throw new Error('there is no database')
  const { summary } = servers
  let written = 0
  const found: MembershipStatements[] = []
  for (const size of domains) {
    const write = async () => {
      const memberName = `user.written${++written}`
      const url = `${summary.zms}/domain/${sizedDomainName(size)}/role/${SIZED_ROLE}/member/${memberName}`
      const json = JSON.stringify({ memberName })
      const answer = await requestText(url, { client: zms.client, ca: summary.ca, json, method: 'PUT' })
      if (answer !== '') throw new Error(`the membership was not written: ${answer}`)
      await delay(SETTLING_MILLIS)
    }
    for (let count = 0; count < WARMING_WRITES; count++) await write()
    const counted: string[][] = []
    for (let count = 0; count < COUNTED_WRITES; count++) counted.push(await sqlStatements(database, write))
    const [statements = []] = counted.toSorted((a, b) => a.length - b.length)
    found.push({ members: size.members, statements })
  }
  return found
}
