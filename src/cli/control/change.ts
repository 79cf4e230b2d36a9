import type { ZmsClient } from '#client/zms-client.ts'
import { StepProgress } from '../progress.ts'
import { EXIT } from './exit-status.ts'
import { isFields } from './fields.ts'
import { lineDiff } from './line-diff.ts'
import { yamlText } from './output.ts'
import type { Session } from './session.ts'

/** One change of what ZMS keeps. `before` and `after` are what people see of it; absent: it is not there. */
export interface Change {
  /** E.g. `role weather:role.readers`. */
  readonly subject: string
  readonly before?: unknown
  readonly after?: unknown
  readonly carryOut: (zms: ZmsClient) => Promise<unknown>
}

/** How changes are carried out. */
export interface ChangeOptions {
  /** Shows them and carries nothing out. */
  readonly dryRun?: boolean
}

const VERBS = { create: ['create', 'created'], update: ['change', 'changed'], delete: ['delete', 'deleted'] } as const

type Kind = keyof typeof VERBS

const kindOf = ({ before, after }: Change): Kind =>
  before === undefined ? 'create' : after === undefined ? 'delete' : 'update'

/** Whether what people see of it becomes another. */
export async function isChange({ before, after }: Pick<Change, 'before' | 'after'>): Promise<boolean> {
  return (await shownText(before)) !== (await shownText(after))
}

/**
 * Carries changes out in order, or shows them. Gives the exit status: 0, and 6 when changes are shown that were not
 * carried out.
 * @throws AthenzClientError of the first change that ZMS refuses; those before it are made and have been told
 */
export async function makeChanges(
  session: Session,
  changes: readonly Change[],
  { dryRun = false }: ChangeOptions,
): Promise<number> {
  if (dryRun) {
    await showChanges(session, changes)
    return changes.length === 0 ? EXIT.done : EXIT.negative
  }
  const zms = await session.zms()
  const made: Change[] = []
  const progress = new StepProgress(changes.length)
  try {
    for (const change of changes) {
      progress.begin(change.subject)
      await change.carryOut(zms)
      made.push(change)
    }
  } finally {
    progress.end()
    // A failure comes after what was done before it, and not after nothing.
    if (made.length > 0 || changes.length === 0) {
      await session.print({ value: { changes: made.map(dataOf) }, table: () => summaryLines(made) })
    }
  }
  return EXIT.done
}

const summaryLines = (made: readonly Change[]): string[] =>
  made.length === 0 ? ['nothing to change'] : made.map((change) => `${VERBS[kindOf(change)][1]} ${change.subject}`)

async function showChanges(session: Session, changes: readonly Change[]): Promise<void> {
  const lines = await Promise.all(changes.map(diffLines))
  await session.print({
    value: { dryRun: true, changes: changes.map(dataOf) },
    table: () => (changes.length === 0 ? ['nothing to change'] : lines.flat()),
  })
}

const dataOf = (change: Change) => ({
  change: kindOf(change),
  subject: change.subject,
  ...(change.before !== undefined && { before: change.before }),
  ...(change.after !== undefined && { after: change.after }),
})

async function diffLines(change: Change): Promise<string[]> {
  const lines = lineDiff(await shownText(change.before), await shownText(change.after))
  return [`${VERBS[kindOf(change)][0]} ${change.subject}`, ...lines.map(({ sign, text }) => `  ${sign} ${text}`)]
}

async function shownText(value: unknown): Promise<string> {
  const isNothing = value === undefined || (isFields(value) && Object.keys(value).length === 0)
  return isNothing ? '' : yamlText(value)
}
