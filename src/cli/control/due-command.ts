import type { Command } from 'commander'
import { parseDays } from '../notify-arguments.ts'
import { addControl, type Words } from './control-command.ts'
import { EXIT } from './exit-status.ts'
import { listParts } from './list-parts.ts'
import type { Session, SessionOptions } from './session.ts'

interface DueOptions extends SessionOptions {
  readonly days: number
}

const SOON_DAYS = 30

/** Adds the command `athenz due`. */
export function addDue(program: Command): void {
  addControl<DueOptions>(program, {
    usage: 'due',
    description: 'list what waits for you: requests to decide, reviews, memberships of yours that end',
    options: (command) =>
      command.option(
        '--days <number>',
        'memberships that have ended, or end within so many days',
        parseDays,
        SOON_DAYS,
      ),
    run: due,
  })
}

async function due(session: Session, _words: Words, { days }: DueOptions): Promise<number> {
  const zms = await session.zms()
  const [requests, reviews, memberships] = await Promise.all([
    listParts((query) => zms.call('searchPendingRequests', query)),
    listParts((query) => zms.call('searchDueReviews', query)),
    listParts((query) => zms.call('searchEndingMemberships', { days, ...query })),
  ])
  await session.print({
    value: { requests, reviews, memberships },
    table: {
      columns: ['WHAT', 'MEMBER', 'OF', 'SINCE OR UNTIL'],
      rows: [
        ...requests.map((each) => [
          each.pendingState === 'DELETE' ? 'remove?' : 'add?',
          each.memberName,
          placeText(each),
          each.requestTime,
        ]),
        ...reviews.map((each) => ['review', undefined, placeText(each), each.reviewDue]),
        ...memberships.map((each) => ['ends', 'you', placeText(each), each.expiration]),
      ],
    },
  })
  return EXIT.done
}

/** The full name of a role or group. */
const placeText = ({ kind, domainName, name }: Record<'kind' | 'domainName' | 'name', string>): string =>
  `${domainName}:${kind}.${name}`
