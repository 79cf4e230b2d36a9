import assert from 'node:assert/strict'
import type { Domain } from '#zms/store/model.ts'
import type { Store, Transaction } from '#zms/store/store.ts'
import { emptyDomain, roleWith } from '../suite/samples.ts'

/** What the writers of the kill test write, so that what is stored can be checked against what they said. */

export const WRITERS = 8
export const DOMAINS = Array.from({ length: WRITERS }, (_, index) => `domain${index}`)
/** Members that a writer keeps in its role. */
const KEPT = 20

const roleOf = (writer: number) => `writer${writer}`
const memberOf = (writer: number, number: number) => `user.w${writer}-${number}`
/** Each writer writes two domains together. */
const pairOf = (writer: number): [string, string] => [
  DOMAINS[writer % DOMAINS.length] as string,
  DOMAINS[(writer + 1) % DOMAINS.length] as string,
]
/** A domain of its own, there after every second transaction. */
const ownDomain = (writer: number) => `own${writer}`

/** Creates the domains that all writers share. */
export async function prepare(store: Store): Promise<void> {
  for (const domain of DOMAINS) {
    const roles = Array.from({ length: WRITERS }, (_, writer) => roleWith(roleOf(writer)))
    const value = { ...emptyDomain(domain), roles: new Map(roles.map((role) => [role.name, role])) }
    await store.transact([domain], (transaction) => transaction.apply({ kind: 'createDomain', domain, value }))
  }
}

/** The transaction of a writer with that number. */
export function transactionOf(writer: number, number: number) {
  const [first, second] = pairOf(writer)
  const own = ownDomain(writer)
  const [role, value] = [roleOf(writer), { name: roleOf(writer), value: String(number) }]
  const decide = (transaction: Transaction) => {
    transaction.apply(
      { kind: 'putEntity', domain: first, value },
      { kind: 'putEntity', domain: second, value },
      { kind: 'putRoleMember', domain: first, role, value: { memberName: memberOf(writer, number) } },
      { kind: 'deleteRoleMember', domain: first, role, member: memberOf(writer, number - KEPT) },
      {
        kind: 'addRoleAudit',
        domain: first,
        role,
        value: { admin: 'user.admin', member: memberOf(writer, number), created: 1_800_000_000_000, action: 'ADD' },
      },
      { kind: 'putPrincipal', principal: `state.w${writer}`, suspended: number % 8 },
      number % 2 === 1
        ? { kind: 'createDomain', domain: own, value: { ...emptyDomain(own), description: String(number) } }
        : { kind: 'deleteDomain', domain: own },
    )
  }
  return { names: [first, second, own], decide }
}

/** Number of the last transaction of a writer that is stored. */
export const numberOf = (domains: ReadonlyMap<string, Domain>, writer: number): number =>
  Number(domains.get(pairOf(writer)[0])?.entities.get(roleOf(writer))?.value ?? 0)

/** Asserts that everything stored is whole; gives the number of the last transaction of each writer. */
export async function check(store: Store): Promise<number[]> {
  const domains = await store.domains(DOMAINS)
  assert.equal(domains.size, DOMAINS.length)
  const numbers: number[] = []
  for (let writer = 0; writer < WRITERS; writer++) {
    const number = numberOf(domains, writer)
    const [first, second] = pairOf(writer)
    const role = roleOf(writer)
    assert.equal(domains.get(second)?.entities.get(role)?.value ?? '0', String(number), 'both domains or none')
    const expected = Array.from({ length: Math.min(number, KEPT) }, (_, index) => memberOf(writer, number - index))
    const members = [...(domains.get(first)?.roles.get(role)?.members.values() ?? [])].map((each) => each.memberName)
    assert.deepEqual(members.toSorted(), expected.toSorted())
    const own = await store.domain(ownDomain(writer))
    assert.equal(own?.description, number % 2 === 1 ? String(number) : undefined)
    assert.equal(await store.principal(`state.w${writer}`), number > 0 ? number % 8 : undefined)
    assert.equal(await store.principal(memberOf(writer, 1)), number > 0 ? 0 : undefined)
    const history = await store.roleAudit(first, role)
    assert.equal(history.length, number, 'each transaction once in the history')
    assert.equal(history.at(-1)?.member, number > 0 ? memberOf(writer, number) : undefined)
    numbers.push(number)
  }
  return numbers
}
