import type { GivenFor } from '#core/http/wire.ts'
import type { AssertionInput } from '#zms/api/assertion.ts'
import { CommandFailure } from '../command-failure.ts'
import { type Fields, field, isFields, tagsFromWire, tagsToWire, textField } from './fields.ts'

type Conditions = GivenFor<typeof AssertionInput>['conditions']

/** An assertion as the interface has it. */
export interface AssertionWire {
  readonly effect: 'ALLOW' | 'DENY'
  readonly action: string
  /** Full name. */
  readonly role: string
  /** Full name. */
  readonly resource: string
  readonly caseSensitive?: true
  readonly conditions?: NonNullable<Conditions>
}

/**
 * A policy as people write it: `assertions` are texts, `grant ACTION to ROLE on RESOURCE` or `deny …`, with names of the
 * policy's own domain in their local form; those with conditions or kept letters are objects.
 */
export type PolicyForm = Fields & { readonly assertions: readonly unknown[] }

const TEXT = /^(grant|deny)\s+(\S+)\s+to\s+(\S+)\s+on\s+(\S.*)$/i
const EFFECTS: ReadonlyMap<string, AssertionWire['effect']> = new Map([
  ['grant', 'ALLOW'],
  ['deny', 'DENY'],
])
const KNOWN: ReadonlySet<string> = new Set(['description', 'caseSensitive', 'tags', 'assertions'])

/** A policy of the interface as people see it. */
export function policyForm(domain: string, wire: Fields): PolicyForm {
  const listed = field(wire, 'assertions')
  const tags = tagsFromWire(field(wire, 'tags'))
  const description = textField(wire, 'description')
  return {
    ...(description !== undefined && description !== '' && { description }),
    ...(tags && { tags }),
    assertions: ordered(
      (Array.isArray(listed) ? listed : []).filter(isFields).map((each) => assertionForm(domain, each)),
    ),
  }
}

/** What the interface takes for it. `name` is the local name. */
export function policyWire(domain: string, name: string, form: PolicyForm) {
  const { assertions, tags, ...rest } = form
  return {
    ...rest,
    name,
    ...(tags !== undefined && { tags: tagsToWire(tags) }),
    assertions: assertions.map((each) => readAssertion(`policy ${name}`, domain, each)),
  }
}

/** Reads a policy that somebody wrote. Throws a CommandFailure. */
export function readPolicy(place: string, domain: string, value: unknown): PolicyForm {
  const given = value ?? {}
  if (!isFields(given)) throw new CommandFailure(`${place} is no object`)
  const unknown = Object.keys(given).find((name) => !KNOWN.has(name))
  if (unknown !== undefined) throw new CommandFailure(`${place} has ${unknown}, which is not known`)
  const { assertions = [], caseSensitive, ...rest } = given
  if (!Array.isArray(assertions)) throw new CommandFailure(`assertions of ${place} are no list`)
  const read = assertions.map((each: unknown) => readAssertion(place, domain, each))
  const all = caseSensitive === true ? read.map((each) => ({ ...each, caseSensitive: true as const })) : read
  return { ...rest, assertions: ordered(all.map((each) => assertionForm(domain, { ...each }))) }
}

/** Reads an assertion, a text or an object, with full names. Throws a CommandFailure that says how one is written. */
export function readAssertion(place: string, domain: string, value: unknown): AssertionWire {
  if (typeof value === 'string') {
    const match = TEXT.exec(value.trim())
    if (match === null) {
      throw new CommandFailure(`${place}: ${JSON.stringify(value)}: write grant|deny ACTION to ROLE on RESOURCE`)
    }
    const [, effect = '', action = '', role = '', resource = ''] = match
    return folded(domain, { effect: EFFECTS.get(effect.toLowerCase()) ?? 'DENY', action, role, resource }, false)
  }
  if (!isFields(value)) throw new CommandFailure(`${place} has an assertion that is neither a text nor an object`)
  const { effect = 'ALLOW', action, role, resource, caseSensitive, conditions, ...others } = value
  const [unknown] = Object.keys(others).filter((name) => name !== 'id')
  if (unknown !== undefined) throw new CommandFailure(`an assertion of ${place} has ${unknown}, which is not known`)
  if (effect !== 'ALLOW' && effect !== 'DENY') throw new CommandFailure(`${place}: effect is ALLOW or DENY`)
  if (typeof action !== 'string' || typeof role !== 'string' || typeof resource !== 'string') {
    throw new CommandFailure(`an assertion of ${place} needs action, role and resource`)
  }
  const full = folded(domain, { effect, action, role, resource }, caseSensitive === true)
  return {
    ...full,
    ...(caseSensitive === true && { caseSensitive: true as const }),
    // ZMS says what is wrong in them.
    ...(conditions !== undefined && { conditions: conditions as NonNullable<Conditions> }),
  }
}

/** Full names, in the letters in which ZMS keeps them. */
function folded(domain: string, assertion: AssertionWire, keepsLetters: boolean): AssertionWire {
  const { effect } = assertion
  const role = assertion.role.toLowerCase()
  const resource = assertion.resource.includes(':') ? assertion.resource : `${domain}:${assertion.resource}`
  return {
    effect,
    action: keepsLetters ? assertion.action : assertion.action.toLowerCase(),
    role: role.includes(':') ? role : `${domain}:role.${role}`,
    resource: keepsLetters ? resource : resource.toLowerCase(),
  }
}

function assertionForm(domain: string, wire: Fields): unknown {
  const role = textField(wire, 'role') ?? ''
  const resource = textField(wire, 'resource') ?? ''
  const action = textField(wire, 'action') ?? ''
  const effect = textField(wire, 'effect') ?? 'ALLOW'
  const conditions = field(wire, 'conditions')
  // A text is read in lower case, which those that have kept their letters must not be.
  const caseSensitive = field(wire, 'caseSensitive') === true || /\p{Lu}/u.test(action + resource)
  const localRole = role.startsWith(`${domain}:role.`) ? role.slice(domain.length + ':role.'.length) : role
  const localResource = resource.startsWith(`${domain}:`) ? resource.slice(domain.length + 1) : resource
  // A local name with a colon in it would be read as one of another domain.
  const shortResource = localResource.includes(':') ? resource : localResource
  if (conditions === undefined && !caseSensitive && !/\s/.test(action)) {
    return `${effect === 'DENY' ? 'deny' : 'grant'} ${action} to ${localRole} on ${shortResource}`
  }
  return {
    effect,
    action,
    role: localRole,
    resource: shortResource,
    ...(caseSensitive && { caseSensitive }),
    ...(conditions !== undefined && { conditions }),
  }
}

/** The order of assertions has no meaning. */
const ordered = (assertions: readonly unknown[]): unknown[] => {
  const keyed = assertions.map((each) => [typeof each === 'string' ? each : JSON.stringify(each), each] as const)
  return keyed.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, each]) => each)
}
