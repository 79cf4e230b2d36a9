import { bitString, boolean, integer, oid, sequence, set, utf8String } from '#core/crypto/certificate-asn1.ts'
import { alternativeNamesToAsn1 } from '#core/crypto/certificate-name.ts'
import {
  extensionRequest,
  REQUEST_KEY,
  type RequestedExtension,
  type RequestParts,
  requestFor,
} from '../support/certificate-requests.ts'

/** Who launches instances of the victim, and the service that is launched: full names. */
export const PROVIDER = 'sys.auth.zts'
export const OWN_PROVIDER = 'victim.provider'
export const NAME = 'victim.victim'
/** Its DNS name, its instance, and both together, as requests are written in tests. */
export const DNS_NAME = 'DNS:victim.victim.zts.athenz.cloud'
/** Local name of a service whose full name is longer than the 64 letters of RFC 5280. */
export const LONG_NAME = 'v'.repeat(60)
export const instanceUri = (id: string, provider = PROVIDER) => `URI:athenz://instanceid/${provider}/${id}`
export const NAMES = [DNS_NAME, instanceUri('i-1')]

/** The key of these requests, as clients show it. */
export const requestKeyPem = REQUEST_KEY.export({ type: 'pkcs8', format: 'pem' }) as string

/** What precedes the reasons: of readers, of checks, and of providers that refuse or are not heard. */
const UNREADABLE = 'unable to parse PKCS10 CSR: '
export const REFUSED = `${UNREADABLE}the certificate request is refused: `
export const INVALID = 'CSR validation failed - '
export const UNVOUCHED = 'unable to verify attestation data: ResourceException (403): '
export const UNHEARD = 'unable to verify attestation data: ResourceException (504): '
const WRONG_DNS = 'Unable to validate certificate request DNS'
export const WRONG_PROOF = `${UNVOUCHED}Unable to validate Certificate Request Auth Token`

// Object ids of what requests ask for, and of what certificates have.
const ALTERNATIVE_NAME = '2.5.29.17'
const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
export const EXTENDED_KEY_USAGE = '2.5.29.37'
export const NAME_CONSTRAINTS = '2.5.29.30'
export const POLICIES = '2.5.29.32'
export const UNKNOWN = '1.3.6.1.4.1.99999.1'
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
export const CODE_SIGNING = '1.3.6.1.5.5.7.3.3'

/** A request that is right but for what is given. */
export const asked = (names: readonly string[], more: RequestParts = {}) => requestFor(NAME, [...NAMES, ...names], more)
export const withExtensions = (...extensions: RequestedExtension[]) => asked([], { extensions })
const subjects = (...names: readonly string[]) =>
  asked([], { subject: sequence(...names.map((name) => set(sequence(oid('2.5.4.3'), utf8String(name))))) })
const alternativeNames = (...values: readonly string[]) => ({
  id: ALTERNATIVE_NAME,
  value: alternativeNamesToAsn1(values.map((value) => ({ type: 'dns', value }))),
})

/** Names that are not those of the instance, each in a request that is right otherwise. */
export const FOREIGN_NAMES: readonly (readonly [what: string, csr: string, status: number, reason: string])[] = [
  ['the DNS name of another service', asked(['DNS:api.other.zts.athenz.cloud']), 403, UNVOUCHED + WRONG_DNS],
  [
    'the DNS name of another service of the domain',
    asked(['DNS:api.victim.zts.athenz.cloud']),
    403,
    UNVOUCHED + WRONG_DNS,
  ],
  ['a wildcard for everybody', asked(['DNS:*.zts.athenz.cloud']), 403, UNVOUCHED + WRONG_DNS],
  ['a wildcard for the domain', asked(['DNS:*.victim.zts.athenz.cloud']), 403, UNVOUCHED + WRONG_DNS],
  [
    'a DNS name elsewhere',
    asked(['DNS:www.example.com']),
    400,
    `${INVALID}www.example.com does not end with provider/service configured suffix or hostname`,
  ],
  [
    'a DNS name whose end only looks like ours',
    asked(['DNS:victim.victim.evilzts.athenz.cloud']),
    400,
    `${INVALID}victim.victim.evilzts.athenz.cloud does not end with provider/service configured suffix or hostname`,
  ],
  [
    'a DNS name that goes on elsewhere',
    asked(['DNS:victim.victim.zts.athenz.cloud.example.com']),
    400,
    `${INVALID}victim.victim.zts.athenz.cloud.example.com does not end with provider/service configured suffix or hostname`,
  ],
  [
    'an address that it does not come from',
    asked(['IP:192.0.2.1']),
    403,
    `${UNVOUCHED}Unable to validate request IP address`,
  ],
  ['a URI of another scheme', asked(['URI:https://victim.example.com/']), 400, INVALID],
  [
    'a host that nobody has named',
    asked(['URI:athenz://hostname/h1.example.com']),
    400,
    `${INVALID}Instance/Uri hostname mismatch: null vs. h1.example.com`,
  ],
  [
    'the SPIFFE id of another service',
    asked(['URI:spiffe://other/sa/api']),
    400,
    `${INVALID}Unable to validate Service SPIFFE URI`,
  ],
  [
    'two SPIFFE ids',
    asked(['URI:spiffe://victim/sa/victim', 'URI:spiffe://other/sa/api']),
    400,
    `${UNREADABLE}Invalid SPIFFE URI present in CSR`,
  ],
  ['two instances', asked([instanceUri('i-2')]), 400, `${REFUSED}it has more than one instance id`],
  ['another instance', requestFor(NAME, [DNS_NAME, instanceUri('i-2')]), 403, WRONG_PROOF],
  ['another instance in a DNS name', asked(['DNS:i-2.instanceid.athenz.zts.athenz.cloud']), 403, UNVOUCHED + WRONG_DNS],
  [
    'two lists of names',
    requestFor(NAME, NAMES, { extensions: [alternativeNames('www.example.com')] }),
    400,
    `${REFUSED}it asks for the same extension twice`,
  ],
  [
    'two lists of extensions',
    requestFor(NAME, [], {
      attributes: [alternativeNames('a.b'), alternativeNames('c.d')].map((names) => extensionRequest(names)),
    }),
    400,
    `${REFUSED}it has the same attribute twice`,
  ],
  [
    'the common name of another service',
    requestFor('other.api', NAMES),
    400,
    `${INVALID}Unable to validate CSR common name`,
  ],
  ['the common name of a user', requestFor('user.admin', NAMES), 400, `${INVALID}Unable to validate CSR common name`],
  [
    'the common name of a role',
    requestFor('victim:role.admin', NAMES),
    400,
    `${INVALID}Unable to validate CSR common name`,
  ],
  [
    'a common name with a letter that only looks the same',
    requestFor('victim.v\u0456ctim', NAMES),
    400,
    `${INVALID}Unable to validate CSR common name`,
  ],
  [
    'a common name of 65 letters that begins right',
    requestFor(NAME.padEnd(65, 'm'), NAMES),
    400,
    `${INVALID}Unable to validate CSR common name`,
  ],
  [
    'a common name of 40,000 letters',
    requestFor('v.'.repeat(20_000), NAMES),
    400,
    `${INVALID}Unable to validate CSR common name`,
  ],
  [
    'a common name with a NUL',
    requestFor(`${NAME}\0.example.com`, NAMES),
    400,
    `${REFUSED}its subject has a control character`,
  ],
  [
    'two common names',
    subjects(NAME, 'other.api'),
    400,
    `${UNREADABLE}CSR Subject contains multiple values for the same field.`,
  ],
  ['no name at all', requestFor(undefined, NAMES), 400, `${INVALID}CSR contains neither a CommonName nor a SPIFFE URI`],
]

/** Power that no certificate has. */
export const AUTHORITIES: readonly (readonly [what: string, csr: string, reason: string])[] = [
  [
    'to be an authority',
    withExtensions({ id: BASIC_CONSTRAINTS, value: sequence(boolean(true)), critical: true }),
    `${REFUSED}it asks for a certificate of an authority`,
  ],
  [
    'to be an authority of some depth',
    withExtensions({ id: BASIC_CONSTRAINTS, value: sequence(boolean(true), integer(3)) }),
    `${REFUSED}it asks for a certificate of an authority`,
  ],
  [
    'to be none and then one',
    withExtensions(
      { id: BASIC_CONSTRAINTS, value: sequence() },
      { id: BASIC_CONSTRAINTS, value: sequence(boolean(true)) },
    ),
    `${REFUSED}it asks for the same extension twice`,
  ],
  [
    'to sign certificates',
    withExtensions({ id: KEY_USAGE, value: bitString(Buffer.from([0b1000_0100]), 2), critical: true }),
    `${REFUSED}it asks for a certificate of an authority`,
  ],
]

/** What is read and does not reach the certificate. */
export const IGNORED: readonly (readonly [what: string, extension: RequestedExtension])[] = [
  ['to sign code', { id: EXTENDED_KEY_USAGE, value: sequence(oid(CODE_SIGNING)), critical: true }],
  ['for any purpose', { id: EXTENDED_KEY_USAGE, value: sequence(oid('2.5.29.37.0')) }],
  ['for no purpose', { id: EXTENDED_KEY_USAGE, value: sequence() }],
  ['constraints of names', { id: NAME_CONSTRAINTS, value: sequence(), critical: true }],
  ['a policy', { id: POLICIES, value: sequence(sequence(oid('2.5.29.32.0'))) }],
  ['a critical extension that nobody knows', { id: UNKNOWN, value: Buffer.from('anything'), critical: true }],
]
