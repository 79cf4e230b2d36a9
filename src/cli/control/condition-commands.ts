import type { Command } from 'commander'
import type { ZmsClient } from '#client/zms-client.ts'
import type { Assertion } from '#zms/api/assertion.ts'
import { CommandFailure } from '../command-failure.ts'
import { makeChanges } from './change.ts'
import { addControl, audited, readPair, type Words, type WriteOptions, wordAt, wordsAt } from './control-command.ts'
import { absentAsUndefined, EXIT } from './exit-status.ts'
import { readAssertion } from './policy-form.ts'
import type { Session } from './session.ts'

/** Adds what `athenz policy` can do with the conditions of assertions, of which one must hold. */
export function addConditions(policy: Command): void {
  const named = '<domain> <policy> <assertion>'
  const what = 'an assertion of the version that counts (its id, or "grant read to readers on rain.*")'
  addControl<WriteOptions>(policy, {
    usage: `add-condition ${named} <key=value...>`,
    description: `add a condition to ${what}: all these must hold`,
    writes: true,
    run: add,
  })
  addControl<WriteOptions>(policy, {
    usage: `remove-condition ${named} <id>`,
    description: `remove a condition from ${what}`,
    writes: true,
    run: remove,
  })
}

async function add(session: Session, words: Words, { dryRun = false, auditRef }: WriteOptions): Promise<number> {
  const { place, subject } = await assertionOf(session, words)
  const pairs = wordsAt(words, 3).map((word) => readPair(word, 'key=value'))
  const change = {
    subject: `condition of ${subject}`,
    after: Object.fromEntries(pairs),
    carryOut: (zms: ZmsClient) => {
      const conditionsMap = Object.fromEntries(
        pairs.map(([key, value]) => [key, { operator: 'EQUALS' as const, value }]),
      )
      return zms.call('putAssertionCondition', { ...place, body: { conditionsMap }, ...audited(auditRef) })
    },
  }
  return makeChanges(session, [change], { dryRun })
}

async function remove(session: Session, words: Words, { dryRun = false, auditRef }: WriteOptions): Promise<number> {
  const { place, subject, conditions } = await assertionOf(session, words)
  const known = conditions?.conditionsList.find(({ id }) => String(id) === wordAt(words, 3))
  if (known?.id === undefined) {
    throw new CommandFailure(`the ${subject} has no condition ${wordAt(words, 3)}`, EXIT.notFound)
  }
  const conditionId = known.id
  const change = {
    subject: `condition ${conditionId} of ${subject}`,
    before: Object.fromEntries(Object.entries(known.conditionsMap).map(([key, { value }]) => [key, value])),
    carryOut: (zms: ZmsClient) => zms.call('deleteAssertionCondition', { ...place, conditionId, ...audited(auditRef) }),
  }
  return makeChanges(session, [change], { dryRun })
}

/** The assertion that is named by its id or its text. */
async function assertionOf(session: Session, words: Words) {
  const [domainName, policyName, named] = [wordAt(words, 0), wordAt(words, 1), wordAt(words, 2)]
  const policy = `${domainName}:policy.${policyName}`
  const wanted = /^\d+$/.test(named) ? Number(named) : readAssertion(`policy ${policyName}`, domainName, named)
  const zms = await session.zms()
  const found = await zms.call('getPolicy', { domainName, policyName }).catch(absentAsUndefined)
  if (found === undefined) throw new CommandFailure(`there is no policy ${policy}`, EXIT.notFound)
  const isWanted = (each: Assertion): boolean =>
    typeof wanted === 'number'
      ? each.id === wanted
      : (each.effect ?? 'ALLOW') === wanted.effect &&
        each.role === wanted.role &&
        each.action === wanted.action &&
        each.resource === wanted.resource
  const assertion = found.assertions?.find(isWanted)
  if (assertion?.id === undefined) throw new CommandFailure(`${policy} has no assertion ${named}`, EXIT.notFound)
  const { id, conditions } = assertion
  return {
    place: { domainName, policyName, assertionId: id },
    subject: `assertion ${id} of policy ${policy}`,
    conditions,
  }
}
