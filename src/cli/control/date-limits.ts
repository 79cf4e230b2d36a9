import { isGroupName } from '#core/names/principal-name.ts'
import { type CollectionForm, type MemberForm, nameOfMember } from './collection-form.ts'
import { type Fields, field } from './fields.ts'

const DAY_MILLIS = 86_400_000
/** What of the allowed time must be left for a date to stay: a membership that is wished for longer is renewed in good time. */
const LEAST_SHARE_LEFT = 0.5

type MemberKind = 'member' | 'service' | 'group'

/**
 * The members that a role or group will have of those that are wished for. ZMS dates a membership no later than so many
 * days from now, as settings of the role or group say, or for its end those of the domain. A wish for a later date stands
 * for the latest that is allowed: what is there stays while half of the allowed time is left, and a date that has come
 * closer is put off. A member wished for by name alone keeps its dates.
 */
export function allowedMembers(
  wished: NonNullable<CollectionForm['members']>,
  known: CollectionForm['members'],
  { collection, domain, now }: { readonly collection: Fields; readonly domain: Fields; readonly now: number },
): NonNullable<CollectionForm['members']> {
  const present = new Map(known?.map((member) => [nameOfMember(member), member]))
  return wished.map((member) => {
    const before = present.get(nameOfMember(member))
    if (typeof member === 'string') return before ?? member
    const kind = kindOf(member.name)
    const days = {
      expiration: daysIn(collection, `${kind}ExpiryDays`) ?? daysIn(domain, `${kind}ExpiryDays`),
      reviewReminder: daysIn(collection, `${kind}ReviewDays`),
    }
    const allowed = (name: 'expiration' | 'reviewReminder') => {
      const date = allowedDate(member[name], typeof before === 'object' ? before[name] : undefined, days[name], now)
      return date !== undefined && { [name]: date }
    }
    const dated: MemberForm = { ...member, ...allowed('expiration'), ...allowed('reviewReminder') }
    return dated
  })
}

function allowedDate(
  wish: string | undefined,
  known: string | undefined,
  days: number | undefined,
  now: number,
): string | undefined {
  if (wish === undefined || days === undefined) return wish
  const allowedMillis = days * DAY_MILLIS
  if (Date.parse(wish) <= now + allowedMillis) return wish
  if (known !== undefined && Date.parse(known) >= now + allowedMillis * LEAST_SHARE_LEFT) return known
  // Dates of memberships are in whole seconds.
  return new Date(Math.floor((now + allowedMillis) / 1000) * 1000).toISOString()
}

/** As settings call the kinds of members; everything that is neither a person nor a group counts as a service. */
function kindOf(memberName: string): MemberKind {
  if (isGroupName(memberName)) return 'group'
  return /^user\.[^.]+$/.test(memberName) ? 'member' : 'service'
}

function daysIn(settings: Fields, name: string): number | undefined {
  const days = field(settings, name)
  return typeof days === 'number' && days > 0 ? days : undefined
}
