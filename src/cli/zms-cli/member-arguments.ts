import { readSwitch, readTimestamp } from './argument-values.ts'
import { CommandRefusal } from './failure.ts'
import { principalName } from './names.ts'
import type { Session } from './session.ts'

/** Full names of those whom words name. */
export const principals = ({ flags }: Session, words: readonly string[]): string[] =>
  words.map((word) => principalName(word, flags.userDomain))

/** Refuses when somebody is no member now: not at all, or no longer. */
export function refuseInactive(
  {
    isMember = true,
    expiration,
  }: { readonly isMember?: boolean | undefined; readonly expiration?: string | undefined },
  memberName: string,
): void {
  const isOver = expiration !== undefined && Date.parse(expiration) < Date.now()
  if (!isMember || isOver) throw new CommandRefusal(`Member ${memberName} is not active`)
}

/** A decision about a member, and the words for it. */
export interface Decision {
  readonly approved?: boolean
  readonly active?: boolean
  readonly expiration?: string
  readonly words: string
}

/** Reads `[expiration] decision`. */
export function readDecision(given: readonly string[]): Decision {
  const [time, decision = ''] = given.length === 1 ? [undefined, given[0]] : given
  const expiration = time === undefined ? undefined : readTimestamp(time)
  const isApproved = readSwitch(decision)
  if (expiration === undefined) return { approved: isApproved, words: isApproved ? 'approved' : 'rejected' }
  return {
    approved: isApproved,
    active: isApproved,
    expiration,
    words: isApproved ? 'approved temporarily' : 'rejected',
  }
}
