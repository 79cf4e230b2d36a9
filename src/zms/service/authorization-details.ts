import { z } from 'zod'
import { badRequest } from '#core/error/service-error.ts'

/** Beginning of the names of entities that say which authorization details access tokens for a role may carry. */
const PREFIX = 'zts.authorization_details_'

const named = z.strictObject({ name: z.string() })

/** What the text in the member `data` of such an entity says; other members are refused. */
const AuthorizationDetails = z.strictObject({
  type: z.string().nullish(),
  roles: z.array(named).nullish(),
  fields: z.array(named).nullish(),
})

const INVALID = 'Invalid authorization details entity object provided'
const missing = (member: string) => badRequest(`Authorization details entity object missing ${member}`)

/**
 * 400 when an entity has the name of authorization details but not their form: an object whose member `data` is the JSON
 * text of a type, of the roles it is for, and of the fields that may be given.
 */
export function requireAuthorizationDetails(name: string, value: Readonly<Record<string, unknown>>): void {
  if (!name.startsWith(PREFIX)) return
  const { data: details, error } = AuthorizationDetails.safeParse(parsed(value['data']))
  if (!details) throw badRequest(INVALID, { detail: error.message })
  if (!details.type) throw missing('type')
  if (!details.roles || details.roles.length === 0) throw missing('roles')
  if (!details.fields || details.fields.length === 0) throw missing('fields')
}

function parsed(text: unknown): unknown {
  if (typeof text !== 'string') return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
