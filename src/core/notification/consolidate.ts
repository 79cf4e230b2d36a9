import { randomUUID } from 'node:crypto'
import type {
  Notice,
  NoticeDomain,
  NoticeItem,
  Notification,
  NotificationSection,
  NotificationSender,
} from './notice.ts'
import { type NotificationTopic, topicNames } from './topics.ts'

/** How notices become notifications. */
export interface Consolidation {
  readonly by: NonNullable<NotificationSender['consolidation']>
  readonly recipientsMax: number
  /** One notification for all topics instead of one for each. */
  readonly digest: boolean
  /** Epoch milliseconds. */
  readonly now: number
}

/** Somebody who is told something. */
interface Addressee {
  readonly person?: string
  readonly domain?: NoticeDomain
  readonly notices: Set<number>
}

/**
 * Puts together what each person, or each domain, is told. Persons who are told exactly the same share a notification,
 * up to `recipientsMax` of them. What concerns nobody is left out.
 */
export function consolidate(notices: readonly Notice[], how: Consolidation): Notification[] {
  const addressees = [...addresseesOf(notices, how.by)]
  const shared = Map.groupBy(
    addressees.flatMap((addressee) => letters(addressee, notices, how.digest)),
    ({ key }) => key,
  )
  const found: Notification[] = []
  for (const [first, ...others] of shared.values()) {
    if (first === undefined) continue
    const { sections, domain } = first
    const people = [first, ...others].flatMap(({ recipients }) => recipients).sort()
    // A place is told once, however many people look at it.
    const most = domain ? Number.POSITIVE_INFINITY : how.recipientsMax
    for (let at = 0; at === 0 || at < people.length; at += most) {
      found.push({
        id: randomUUID(),
        created: how.now,
        recipients: people.slice(at, at + most),
        ...(domain && { domain }),
        sections,
      })
    }
  }
  return found
}

function addresseesOf(notices: readonly Notice[], by: Consolidation['by']): Iterable<Addressee> {
  const found = new Map<string, Addressee>()
  const tell = (key: string, who: Omit<Addressee, 'notices'>, index: number) => {
    const addressee = found.get(key) ?? { ...who, notices: new Set() }
    addressee.notices.add(index)
    found.set(key, addressee)
  }
  for (const [index, { people, domain }] of notices.entries()) {
    if (by === 'domain' && domain) tell(`domain ${domain.name}`, { domain }, index)
    else for (const person of people) tell(`person ${person}`, { person }, index)
  }
  return found.values()
}

/** What one addressee gets, with a key that is the same for those who get the same. */
interface Letter {
  readonly key: string
  readonly recipients: readonly string[]
  readonly domain?: NoticeDomain
  readonly sections: readonly NotificationSection[]
}

function letters(
  { person, domain, notices: indexes }: Addressee,
  notices: readonly Notice[],
  digest: boolean,
): Letter[] {
  const byTopic = Map.groupBy(indexes, (index) => (notices[index] as Notice).topic)
  const sections = topicNames.flatMap((topic) => {
    const own = byTopic.get(topic)
    return own ? [{ indexes: own, section: sectionOf(topic, own, notices) }] : []
  })
  // Those who speak for a domain are told on its behalf, but each place has notifications of its own.
  const place = domain === undefined ? '' : `${domain.name} `
  const recipients =
    domain === undefined
      ? [person ?? '']
      : [...new Set([...indexes].flatMap((index) => [...(notices[index] as Notice).people]))]
  const letter = (parts: typeof sections): Letter => ({
    key: place + parts.map((part) => part.indexes.join(' ')).join(','),
    recipients,
    ...(domain && { domain }),
    sections: parts.map(({ section }) => section),
  })
  return digest ? [letter(sections)] : sections.map((part) => letter([part]))
}

const sectionOf = (
  topic: NotificationTopic,
  indexes: readonly number[],
  notices: readonly Notice[],
): NotificationSection => ({
  topic,
  items: indexes.map((index) => (notices[index] as Notice).item).sort(byUrgency),
})

/** What happens first stands first. */
function byUrgency(a: NoticeItem, b: NoticeItem): number {
  return timeOf(a) - timeOf(b) || byText(placeOf(a), placeOf(b))
}

const timeOf = (item: NoticeItem) => item.expiration ?? item.reviewReminder ?? item.requestTime ?? item.updateTime ?? 0
const placeOf = ({ domain, role, group, service, member }: NoticeItem) =>
  [domain, role ?? group ?? service ?? '', member ?? ''].join(' ')
const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
