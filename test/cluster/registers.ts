import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import type { Answer } from './https-client.ts'
import type { RegisterAction, RegisterValue } from './linearizability.ts'

const newKeyPair = promisify(generateKeyPair)

/** A request to ZMS, its path below the base of the interface. */
export interface ZmsRequest {
  readonly method: string
  readonly path: string
  readonly body?: object
}

/** A way of asking for the value of a register, and what the answer says. */
export interface RegisterRead {
  readonly request: ZmsRequest
  readonly action: (answer: Answer) => RegisterAction
}

/**
 * An object of ZMS that holds one value at a time. What an answer says is an action: of a write that was refused because
 * there was nothing to delete, that there was nothing; undefined when it says nothing.
 */
export interface Register {
  readonly name: string
  readonly mayBeDeleted: boolean
  /** A value that nobody has written before. */
  newValue(): Promise<string>
  write(value: RegisterValue): ZmsRequest
  /** Ways of asking for the value. */
  readonly reads: readonly RegisterRead[]
  /** The one among them that ZTS answers, too, if there is one. */
  readonly ztsRead?: RegisterRead
}

/** Domains of the registers. */
export const DOMAINS: readonly string[] = ['club', 'team', 'union']

type Members = Readonly<Record<string, unknown>>

const membersOf = (value: unknown): Members => (typeof value === 'object' && value !== null ? (value as Members) : {})
const textOf = (value: unknown): RegisterValue => (typeof value === 'string' ? value : undefined)
const reading = (value: RegisterValue): RegisterAction => ({ kind: 'read', value })

let count = 0
const nextNumber = () => ++count

const FIRST_EXPIRY = Date.UTC(2040, 0, 1)

/** A membership: its value is the time at which it ends. Access shows whether there is one. */
function membership(domain: string, number: number): Register {
  const [role, member, action] = [`players${number}`, `user.player${number}`, `play${number}`]
  const path = `/domain/${domain}/role/${role}/member/${member}`
  const decision: RegisterRead = {
    request: { method: 'GET', path: `/access/${action}/${domain}:field${number}?principal=${member}` },
    action: ({ body }) => ({ kind: 'present', value: membersOf(body)['granted'] === true }),
  }
  return {
    name: `membership ${domain}:role.${role}`,
    mayBeDeleted: true,
    newValue: async () => new Date(FIRST_EXPIRY + 1000 * nextNumber()).toISOString(),
    write: (value) =>
      value === undefined
        ? { method: 'DELETE', path }
        : { method: 'PUT', path, body: { memberName: member, expiration: value } },
    reads: [
      {
        request: { method: 'GET', path },
        action: ({ body }) => {
          const { isMember, expiration } = membersOf(body)
          return reading(isMember === true ? (textOf(expiration) ?? 'no end') : undefined)
        },
      },
      decision,
    ],
    ztsRead: decision,
  }
}

/** What memberships need: a role each, and a policy that lets it do something. */
export const membershipParts = (domain: string, number: number): ZmsRequest[] => [
  { method: 'PUT', path: `/domain/${domain}/role/players${number}`, body: { name: `players${number}` } },
  {
    method: 'PUT',
    path: `/domain/${domain}/policy/play${number}`,
    body: {
      name: `play${number}`,
      assertions: [
        {
          role: `${domain}:role.players${number}`,
          action: `play${number}`,
          resource: `${domain}:field${number}`,
          effect: 'ALLOW',
        },
      ],
    },
  },
]

/** A role: its value is its description. */
function describedRole(domain: string, number: number): Register {
  const name = `described${number}`
  const path = `/domain/${domain}/role/${name}`
  return {
    name: `role ${domain}:role.${name}`,
    mayBeDeleted: true,
    newValue: async () => `description ${nextNumber()}`,
    write: (value) =>
      value === undefined ? { method: 'DELETE', path } : { method: 'PUT', path, body: { name, description: value } },
    reads: [
      {
        request: { method: 'GET', path },
        action: ({ status, body }) => reading(status === 404 ? undefined : textOf(membersOf(body)['description'])),
      },
    ],
  }
}

/** A policy with two assertions that are replaced together: its value is their action, and both have the same. */
function ruledPolicy(domain: string, number: number): Register {
  const name = `ruled${number}`
  const path = `/domain/${domain}/policy/${name}`
  const resources = ['east', 'west'].map((place) => `${domain}:${place}`)
  return {
    name: `policy ${domain}:policy.${name}`,
    mayBeDeleted: true,
    newValue: async () => `action${nextNumber()}`,
    write: (value) => {
      if (value === undefined) return { method: 'DELETE', path }
      const assertions = resources.map((resource) => ({
        role: `${domain}:role.described${number}`,
        action: value,
        resource,
        effect: 'ALLOW',
      }))
      return { method: 'PUT', path, body: { name, assertions } }
    },
    reads: [
      {
        request: { method: 'GET', path },
        action: ({ status, body }) => {
          if (status === 404) return reading(undefined)
          const { assertions } = membersOf(body)
          const actions = Array.isArray(assertions) ? assertions.map((each) => textOf(membersOf(each)['action'])) : []
          const isWhole = actions.length === resources.length && new Set(actions).size === 1
          return reading(isWhole ? actions[0] : `torn: ${actions.join(', ')}`)
        },
      },
    ],
  }
}

/** A public key of a service: its value is the key. ZTS gives it to others. */
function servicePublicKey(domain: string, number: number): Register {
  const path = `/domain/${domain}/service/service${number}/publickey/one`
  const key: RegisterRead = {
    request: { method: 'GET', path },
    action: ({ status, body }) => reading(status === 404 ? undefined : textOf(membersOf(body)['key'])),
  }
  return {
    name: `public key ${domain}.service${number}`,
    mayBeDeleted: true,
    newValue: async () => {
      const { publicKey } = await newKeyPair('ec', { namedCurve: 'P-256' })
      return encodeYBase64(Buffer.from(publicKey.export({ type: 'spki', format: 'pem' })))
    },
    write: (value) =>
      value === undefined ? { method: 'DELETE', path } : { method: 'PUT', path, body: { id: 'one', key: value } },
    reads: [key],
    ztsRead: key,
  }
}

export const publicKeyParts = (domain: string, number: number): ZmsRequest[] => [
  {
    method: 'PUT',
    path: `/domain/${domain}/service/service${number}`,
    body: { name: `${domain}.service${number}` },
  },
]

/** So many registers of each kind, spread over the domains, none of which holds anything. */
export const registersOf = (ofEachKind: number): Register[] =>
  Array.from({ length: ofEachKind }, (_, number) => {
    const domain = DOMAINS[number % DOMAINS.length] as string
    return [membership, describedRole, ruledPolicy, servicePublicKey].map((make) => make(domain, number))
  }).flat()

/** What has to be there for so many registers. */
export const partsOf = (ofEachKind: number): ZmsRequest[] =>
  Array.from({ length: ofEachKind }, (_, number) => {
    const domain = DOMAINS[number % DOMAINS.length] as string
    return [...membershipParts(domain, number), ...publicKeyParts(domain, number)]
  }).flat()
