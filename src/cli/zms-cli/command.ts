import { CommandRefusal, noDomain } from './failure.ts'
import type { Result } from './result.ts'
import type { Session } from './session.ts'

/** A command: its word, what it takes, and what it does. */
export interface Command {
  readonly name: string
  /** Its arguments as help shows them. */
  readonly usage: string
  /** One sentence for help. */
  readonly summary: string
  /** How many arguments it takes at least and at most. */
  readonly count: readonly [least: number, most: number]
  /** Works in the domain that `-d` names. */
  readonly inDomain: boolean
  /** Arguments are as many as `count` says. */
  readonly run: (session: Session, args: readonly string[]) => Promise<Result>
}

/** Commands under one heading of the help. */
export interface CommandGroup {
  readonly title: string
  readonly commands: readonly Command[]
}

/** Any number of arguments. */
export const MANY = Number.POSITIVE_INFINITY

type Words = readonly [name: string, usage: string, summary: string]

/** A command that takes all it needs as arguments. */
export const command = (
  [name, usage, summary]: Words,
  count: readonly [number, number],
  run: Command['run'],
): Command => ({ name, usage, summary, count, inDomain: false, run })

/** A command that works in the domain of `-d`, which `run` gets. */
export const domainCommand = (
  [name, usage, summary]: Words,
  count: readonly [number, number],
  run: (session: Session, domain: string, args: readonly string[]) => Promise<Result>,
): Command => ({
  name,
  usage,
  summary,
  count,
  inDomain: true,
  run: (session, args) => {
    const { domain } = session.flags
    if (domain === undefined || domain === '') throw noDomain()
    return run(session, domain, args)
  },
})

/** The domain that an argument names, otherwise that of `-d`. */
export function givenDomain({ flags }: Session, word: string | undefined): string {
  const domain = word || flags.domain
  if (domain === undefined || domain === '') throw new CommandRefusal('no domain specified')
  return domain
}
