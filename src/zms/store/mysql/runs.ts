import { type Change, isDomainChange } from '../change.ts'
import type { Run } from './scope.ts'

/** A change with the time of its transaction in epoch milliseconds. */
export interface TimedChange<C extends Change = Change> {
  readonly change: C
  readonly at: number
}

/** A run with the time of its last change. */
export interface TimedRun {
  readonly run: Run<Change['kind']>
  readonly at: number
}

/**
 * Changes of one kind to one owner that follow each other. Entries of the history are no obstacle: they are set aside and
 * come before the next change that could remove their role or group, or at the end.
 */
export function* runsOf(changes: Iterable<TimedChange>): Generator<TimedRun> {
  const history = new Map<string, TimedChange[]>()
  let current: TimedChange[] = []
  let currentKey = ''
  for (const timed of changes) {
    const key = keyOf(timed)
    if (HISTORY.has(timed.change.kind)) {
      const entries = history.get(key)
      if (entries) entries.push(timed)
      else history.set(key, [timed])
      continue
    }
    const isBarrier = BARRIERS.has(timed.change.kind)
    if (current.length > 0 && (isBarrier || key !== currentKey)) {
      yield runOf(current)
      current = []
    }
    if (isBarrier) {
      for (const entries of history.values()) yield runOf(entries)
      history.clear()
    }
    current.push(timed)
    currentKey = key
  }
  if (current.length > 0) yield runOf(current)
  for (const entries of history.values()) yield runOf(entries)
}

function runOf(changes: readonly TimedChange[]): TimedRun {
  return {
    run: changes.map(({ change }) => change) as unknown as Run<Change['kind']>,
    at: changes.at(-1)?.at ?? 0,
  }
}

const HISTORY: ReadonlySet<Change['kind']> = new Set(['addRoleAudit', 'addGroupAudit'])
const BARRIERS: ReadonlySet<Change['kind']> = new Set(['deleteRole', 'deleteGroup', 'deleteDomain', 'createDomain'])

/** Kinds whose rows get the time of their own transaction. */
const STAMPED: ReadonlySet<Change['kind']> = new Set([
  'createDomain',
  'putRole',
  'putGroup',
  'putPolicy',
  'putService',
  'putEntity',
  'putQuota',
])

/** What changes must have in common to be written together. */
function keyOf({ change, at }: TimedChange): string {
  if (!isDomainChange(change)) return change.kind
  const role = 'role' in change ? change.role : undefined
  const group = 'group' in change ? change.group : undefined
  const policy = 'policy' in change ? `${change.policy}:${'version' in change ? change.version : ''}` : undefined
  const service = 'service' in change ? change.service : undefined
  const isNew = change.kind === 'putAssertion' && change.value.id === undefined
  const time = STAMPED.has(change.kind) ? at : 0
  return [change.kind, change.domain, role ?? group ?? policy ?? service ?? '', isNew, time].join('\n')
}
