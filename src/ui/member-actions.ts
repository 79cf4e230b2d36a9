import { AthenzClientError } from '#client/client-error.ts'
import type { MemberSummary } from '#zms/api/collection-search.ts'
import type { CollectionCalls, CollectionPlace, CollectionSummary, MemberDates } from './collection-calls.ts'
import { collectionPath } from './collection-view.ts'
import { FormProblem, type Outcome, type Undo } from './page.ts'
import type { Zms } from './zms-calls.ts'

/** Where members are changed, and by what means. */
export interface MemberScope {
  readonly zms: Zms
  readonly calls: CollectionCalls
  readonly place: CollectionPlace
  readonly auditRef: string | undefined
}

/** A membership as it was before it was taken away. */
export interface FormerMember extends MemberDates {
  readonly memberName: string
}

/** Members for whom something is done at the same time: a form with a page of them is one request of many that ZMS has. */
const AT_ONCE = 8

/**
 * Does something for each of several members, first for one, then for a few at a time, and gives the results in the order
 * of the names. When ZMS refuses the first, that is what it says; when it refuses a later one, no further ones are begun,
 * and a FormProblem tells which are done.
 */
export async function forEachMember<T>(
  names: readonly string[],
  act: (memberName: string) => Promise<T>,
): Promise<T[]> {
  const results = new Map<string, T>()
  const failures: (readonly [name: string, error: unknown])[] = []
  const attempt = async (name: string): Promise<void> => {
    try {
      results.set(name, await act(name))
    } catch (error) {
      failures.push([name, error])
    }
  }
  const [first, ...others] = names
  const waiting = others.values()
  const attemptSome = async (): Promise<void> => {
    while (failures.length === 0) {
      const { value: name, done } = waiting.next()
      if (done) return
      await attempt(name)
    }
  }
  if (first !== undefined) await attempt(first)
  await Promise.all(Array.from({ length: AT_ONCE }, attemptSome))
  const done = names.filter((name) => results.has(name))
  const [failure] = failures
  if (failure === undefined) return done.map((name) => results.get(name) as T)
  const [name, error] = failure
  const foreseen = error instanceof AthenzClientError || error instanceof FormProblem
  if (done.length === 0 || !foreseen) throw error
  const text = `${done.length} of ${names.length} are done: ${listText(done)}. Then, for ${name}: ${error.message}`
  throw new FormProblem(`${text}${text.endsWith('.') ? '' : '.'} The others are as they were.`, 'member')
}

/** What ZMS knows of a principal in a role or group, and of that. */
export interface KnownMember {
  /** Undefined when it is none, and nothing is requested for it. */
  readonly member: MemberSummary | undefined
  readonly summary: CollectionSummary
}

/** Reads one member as ZMS knows it now. */
export async function readMember(
  { zms, calls, place }: Omit<MemberScope, 'auditRef'>,
  memberName: string,
): Promise<KnownMember> {
  const { list, summary } = await calls.members(zms, place, { memberName, limit: 1 })
  return { member: list[0], summary }
}

/** The greatest part of a list that ZMS gives at once. */
const GREATEST_PART = 500

/**
 * Reads several members as ZMS knows them now: with one call where the role or group is no greater than a part of its list,
 * otherwise with one call for each, when it is asked for.
 */
export async function memberReader(
  scope: Omit<MemberScope, 'auditRef'>,
  names: readonly string[],
): Promise<(memberName: string) => Promise<KnownMember>> {
  const { zms, calls, place } = scope
  const readOne = (memberName: string): Promise<KnownMember> => readMember(scope, memberName)
  if (names.length <= 1) return readOne
  const { list, next, summary } = await calls.members(zms, place, { limit: GREATEST_PART })
  if (next !== undefined) return readOne
  const members = new Map(list.map((member) => [member.memberName, member]))
  return (memberName) => Promise.resolve({ member: members.get(memberName.toLowerCase()), summary })
}

/**
 * Removes members, or asks for their removal where that needs approval. Those that are no members any more are told of in a
 * FormProblem.
 */
export async function removeMembers(scope: MemberScope, names: readonly string[]): Promise<Outcome> {
  const { zms, calls, place, auditRef } = scope
  const read = await memberReader(scope, names)
  const leaving = await forEachMember(names, async (memberName) => {
    const { member, summary } = await read(memberName)
    if (member === undefined || member.state === 'pending') throw new FormProblem(goneText(calls, memberName), 'member')
    await calls.deleteMember(zms, place, memberName, auditRef)
    return { member, waits: needsApprovalToRemove(summary) }
  })
  const removed: FormerMember[] = leaving.filter(({ waits }) => !waits).map(({ member }) => member)
  const requested = leaving.filter(({ waits }) => waits).map(({ member }) => member.memberName)
  const notice = [
    removed.length > 0 && `Removed: ${listText(removed.map(({ memberName }) => memberName))}.`,
    requested.length > 0 && `The removal waits for the approval of somebody else: ${listText(requested)}.`,
  ]
  return {
    to: collectionPath(calls, place),
    notice: sentences(notice),
    undo: removed.length > 0 ? restoring(scope, removed) : takingBack(scope, { added: [], requested }),
  }
}

/** Whether new members, and new dates, become requests. */
export const needsApproval = ({ reviewEnabled, auditEnabled }: CollectionSummary): boolean =>
  reviewEnabled === true || auditEnabled === true

/** Whether removals become requests. */
export const needsApprovalToRemove = (summary: CollectionSummary): boolean =>
  summary.deleteProtection === true && needsApproval(summary)

/** Notices one after the other, without those that are not to be said. */
export const sentences = (parts: readonly (string | false)[]): string =>
  parts.filter((each) => each !== false).join(' ')

/** What is asked before a request is rejected. */
export const REJECTION = {
  action: 'reject',
  ask: 'Reject',
  question: 'This cannot be undone: what is rejected has to be asked for again.',
  submit: 'Reject it',
} as const

/** Which requests somebody has looked at before deciding, as the form says. */
export interface SeenRequests {
  /** When the one request was made. */
  readonly seen?: string | undefined
  /** When the list of them was shown. */
  readonly shown?: string | undefined
}

/**
 * Approves or rejects requests with the dates they ask for. Throws FormProblem for one that somebody else has decided
 * meanwhile, or that is another one than was looked at.
 */
export async function decideRequests(
  scope: MemberScope,
  names: readonly string[],
  approved: boolean,
  { seen, shown }: SeenRequests,
): Promise<void> {
  const { zms, calls, place, auditRef } = scope
  const read = await memberReader(scope, names)
  await forEachMember(names, async (memberName) => {
    const request = (await read(memberName)).member?.request
    if (request === undefined) {
      throw new FormProblem(
        `No request for ${memberName} waits any more: somebody else has decided it, or it was withdrawn. Look at the list again.`,
        'member',
      )
    }
    const isAnother = seen !== undefined && seen !== request.requestTime
    if (isAnother || (shown !== undefined && Date.parse(request.requestTime) > Date.parse(shown))) {
      throw new FormProblem(`Something else is requested for ${memberName} by now. Look at it, then decide.`, 'member')
    }
    const { expiration, reviewReminder } = request
    await calls.decide(zms, place, { memberName, approved, expiration, reviewReminder }, auditRef)
  })
}

/** Names of those that are members now, and of those that wait for an approval. */
export const byResult = (
  names: readonly string[],
  results: readonly ('member' | 'requested')[],
): [members: string[], requested: string[]] => [
  names.filter((_, index) => results[index] === 'member'),
  names.filter((_, index) => results[index] === 'requested'),
]

/** What is said when somebody else was quicker. */
const goneText = ({ kind }: CollectionCalls, memberName: string): string =>
  `${memberName} is no member of this ${kind} any more: somebody else has removed it meanwhile. Look at the list again.`

/** The action that puts removed members back, on the page of the role or group. */
export const restoring = ({ calls, place, auditRef }: MemberScope, former: readonly FormerMember[]): Undo => ({
  to: collectionPath(calls, place),
  action: 'restore',
  fields: {
    members: former
      .map(({ memberName, expiration = '', reviewReminder = '' }) => `${memberName} ${expiration} ${reviewReminder}`)
      .join('\n'),
    ...(auditRef !== undefined && { auditRef: `undo: ${auditRef}` }),
  },
})

/** The action that takes back what was added and what was requested, on the page of the role or group. */
export const takingBack = (
  { calls, place, auditRef }: MemberScope,
  { added, requested }: { readonly added: readonly string[]; readonly requested: readonly string[] },
): Undo => ({
  to: collectionPath(calls, place),
  action: 'take-back',
  fields: {
    added: added.join('\n'),
    requested: requested.join('\n'),
    ...(auditRef !== undefined && { auditRef: `undo: ${auditRef}` }),
  },
})

/** Puts members back as the fields of {@link restoring} tell, or asks for it where that needs approval. */
export async function restoreMembers(scope: MemberScope, text: string): Promise<Outcome> {
  const { zms, calls, place, auditRef } = scope
  const former = text.split('\n').map((line) => line.trim().split(' '))
  const dates = new Map(former.map(([memberName = '', ...rest]) => [memberName, rest]))
  const names = [...dates.keys()]
  const results = await forEachMember(names, (memberName) => {
    const [expiration, reviewReminder] = dates.get(memberName) ?? []
    const wanted = { expiration: expiration || undefined, reviewReminder: reviewReminder || undefined }
    return calls.putMember(zms, place, memberName, wanted, auditRef)
  })
  const [restored, requested] = byResult(names, results)
  const notice = [
    restored.length > 0 && `Put back: ${listText(restored)}.`,
    requested.length > 0 && `Waiting for the approval of somebody else: ${listText(requested)}.`,
  ]
  return { to: collectionPath(calls, place), notice: sentences(notice) }
}

const DAY = /^\d{4}-\d\d-\d\d$/

/** The beginning of a day (UTC) that a field of a form has; undefined when it is empty. Throws FormProblem. */
export function dayOf(text: string | undefined, name: string, label: string): string | undefined {
  if (text === undefined) return undefined
  const time = DAY.test(text) ? new Date(`${text}T00:00:00Z`) : undefined
  if (time === undefined || Number.isNaN(time.getTime()) || !time.toISOString().startsWith(text)) {
    throw new FormProblem(`${label}: “${text}” is no date: write 2030-01-31.`, name)
  }
  return time.toISOString()
}

/** The day of a time, as fields of forms have it. */
export const dayText = (time: string | undefined): string | undefined => time?.slice(0, 10)

/** Names as people list them. */
export const listText = (names: readonly string[]): string =>
  names.length <= 5 ? names.join(', ') : `${names.slice(0, 4).join(', ')} and ${names.length - 4} others`
