/**
 * The text over which signed domains and their policies are signed: JSON without white space, the members of an object in
 * ascending order, texts between quotes as they are (nothing is escaped). An object has only the members that its shape
 * names, as far as they are there. Verifiers rebuild the very same text from what they have received.
 */

/** A member of an object; `always` ones are an empty list when they are not there, `filled` ones leave empty lists out. */
interface Member {
  readonly name: string
  readonly shape: CanonicalShape | undefined
  readonly presence: 'given' | 'always' | 'filled'
  /** What stands before its value, with a comma before it and without. */
  readonly key: string
  readonly firstKey: string
}

/** The members of a kind of object, in the order in which they are written. */
export type CanonicalShape = readonly Member[]

/** Canonical text that was made before, as the value of a member. */
export class CanonicalPart {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

const shape = (
  scalars: string,
  objects: Record<string, CanonicalShape | readonly [CanonicalShape, Member['presence']]> = {},
): CanonicalShape => {
  const members = scalars.split(' ').map((name) => memberOf(name, undefined, 'given'))
  for (const [name, given] of Object.entries(objects)) {
    const [inner, presence] = isPair(given) ? given : [given, 'given' as const]
    members.push(memberOf(name, inner, presence))
  }
  return members.sort((a, b) => (a.name < b.name ? -1 : 1))
}

const memberOf = (name: string, inner: CanonicalShape | undefined, presence: Member['presence']): Member => ({
  name,
  shape: inner,
  presence,
  key: `,"${name}":`,
  firstKey: `"${name}":`,
})

const isPair = (
  given: CanonicalShape | readonly [CanonicalShape, Member['presence']],
): given is readonly [CanonicalShape, Member['presence']] => typeof given[1] === 'string'

const assertion = shape('action effect resource role')
const policy = shape('modified name', { assertions: [assertion, 'filled'] })
const contents = shape('domain', { policies: [policy, 'always'] })
const roleMember = shape('expiration memberName systemDisabled')
const groupMember = shape('expiration groupName memberName systemDisabled')
const role = shape(
  'auditEnabled certExpiryMins memberExpiryDays memberReviewDays members modified name selfServe serviceExpiryDays serviceReviewDays signAlgorithm tokenExpiryMins trust',
  { roleMembers: roleMember },
)
const group = shape('auditEnabled memberExpiryDays modified name reviewEnabled selfServe serviceExpiryDays', {
  groupMembers: groupMember,
})
const publicKey = shape('id key')
const service = shape('description executable group hosts modified name providerEndpoint user', {
  publicKeys: [publicKey, 'always'],
})
const signedPolicies = shape('keyId signature', { contents })
const signedPolicyData = shape('expires modified zmsKeyId zmsSignature', { policyData: contents })
const domain = shape(
  'account auditEnabled certDnsDomain enabled memberExpiryDays modified name roleCertExpiryMins serviceCertExpiryMins serviceExpiryDays signAlgorithm tokenExpiryMins ypmId',
  {
    groups: [group, 'filled'],
    policies: signedPolicies,
    roles: [role, 'always'],
    services: [service, 'always'],
  },
)

/** The kinds of objects that have a canonical text. */
export const canonicalShapes = {
  assertion,
  policy,
  contents,
  signedPolicies,
  signedPolicyData,
  roleMember,
  groupMember,
  role,
  group,
  service,
  domain,
}

/** The canonical text of an object as the API writes it, or of a list of such objects. */
export function canonicalText(value: unknown, ofShape: CanonicalShape | undefined): string {
  if (typeof value === 'string') return `"${value}"`
  if (value instanceof CanonicalPart) return value.text
  if (Array.isArray(value)) return `[${canonicalItems(value, ofShape)}]`
  if (typeof value !== 'object' || value === null) return String(value)
  let text = ''
  for (const { name, shape: inner, presence, key, firstKey } of ofShape ?? []) {
    const member = (value as Readonly<Record<string, unknown>>)[name] ?? (presence === 'always' ? [] : undefined)
    if (member === undefined || (presence === 'filled' && Array.isArray(member) && member.length === 0)) continue
    text += text === '' ? firstKey : key
    text += canonicalText(member, inner)
  }
  return `{${text}}`
}

/** A server reads thousands of long texts when it starts: appending leaves less behind than a list of parts that is joined. */
function canonicalItems(items: readonly unknown[], ofShape: CanonicalShape | undefined): string {
  let text = ''
  for (let index = 0; index < items.length; index++) {
    if (index > 0) text += ','
    text += canonicalText(items[index], ofShape)
  }
  return text
}
