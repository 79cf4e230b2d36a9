import type { KeyObject } from 'node:crypto'
import { verifyJoseSignature, verifySignature } from '#core/crypto/signing.ts'
import { parseYBase64 } from '#core/crypto/ybase64.ts'
import { inTurns, type Steps } from '#core/seam/steps.ts'
import { canonicalListSteps } from '#core/token/canonical-steps.ts'
import { canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'
import { type JsonObject, parseCompactJws, parseJsonObject, textMember } from '#core/token/compact-jws.ts'
import { excerpt } from '#core/token/token-fields.ts'
import type { PolicyAssertion } from './domain-policies.ts'

/** Policies whose signature holds, as a file or a server gave them. */
export interface PolicyDocument {
  readonly domain: string
  /** Of all policies, in order. */
  readonly assertions: readonly PolicyAssertion[]
  /** Names of all policies, in order. */
  readonly policies: readonly string[]
  /** Epoch milliseconds. */
  readonly modifiedMillis: number
  /** The same as the document writes it, which is the tag of its version. */
  readonly modified: string
  /** Epoch milliseconds. */
  readonly expiresMillis: number
  readonly form: 'signed' | 'jws'
  readonly keyId: string
  /** What was signed: a SignedPolicyData. */
  readonly data: JsonObject
  /** The document in the form in which files hold it. */
  readonly text: string
}

/** Policies that cannot be used; the message is a reason for people: `its signature is wrong`. */
export class UnusablePolicies extends Error {
  /** The key that they are signed with is not known, but may be later. */
  readonly unknownKey: boolean

  constructor(message: string, options: ErrorOptions & { unknownKey?: boolean } = {}) {
    super(message, options)
    this.unknownKey = options.unknownKey === true
  }
}

/** Public keys by id; undefined when there is none. */
export interface PolicyKeys {
  zts(keyId: string): Promise<KeyObject | undefined> | KeyObject | undefined
  zms(keyId: string): Promise<KeyObject | undefined> | KeyObject | undefined
}

/** How policies are verified. */
export interface PolicyVerification {
  readonly keys: PolicyKeys
  /** Whether plain signed policies need the signature of ZMS, too. */
  readonly checkZmsSignature: boolean
}

/** The policies of a domain may be long; beyond this they are not plausible. */
const DOCUMENT_MAX_LENGTH = 256 * 1024 * 1024

/**
 * Reads and verifies policies in either form: signed over their canonical text
 * (`{"signedPolicyData":…,"keyId":…,"signature":…}`), or as a JSON web signature
 * (`{"payload":…,"protected":…,"header":{"kid":…},"signature":…}`). Their expiry is for the caller. Long work gives others
 * their turn.
 * @throws UnusablePolicies
 */
export async function readPolicyDocument(
  text: string | Uint8Array,
  verification: PolicyVerification,
): Promise<PolicyDocument> {
  if (text.length > DOCUMENT_MAX_LENGTH) throw new UnusablePolicies(`it is longer than ${DOCUMENT_MAX_LENGTH} bytes`)
  const document = parseJsonObject(typeof text === 'string' ? Buffer.from(text) : text)
  if (document === undefined) throw new UnusablePolicies('it is no JSON object, or not all of it')
  return Object.hasOwn(document, 'signedPolicyData')
    ? signedForm(document, verification)
    : webSignature(document, verification)
}

async function signedForm(
  document: JsonObject,
  { keys, checkZmsSignature }: PolicyVerification,
): Promise<PolicyDocument> {
  const data = objectMember(document, 'signedPolicyData')
  const signature = textMember(document, 'signature')
  const keyId = textMember(document, 'keyId')
  if (data === undefined || signature === undefined || keyId === undefined) {
    throw new UnusablePolicies('it has no policies, no signature or no key id')
  }
  const told = await inTurns(readSignedPolicyData(data, 'canonical'))
  const canonical = await inTurns(canonicalSteps(data))
  await verifyCanonical(canonical.data, signature, await knownKey(keys, 'zts', keyId))
  if (checkZmsSignature) {
    const zmsSignature = textMember(data, 'zmsSignature') ?? ''
    const zmsKeyId = textMember(data, 'zmsKeyId') ?? ''
    if (zmsSignature === '' || zmsKeyId === '') throw new UnusablePolicies('it has no signature of ZMS')
    await verifyCanonical(canonical.policies, zmsSignature, await knownKey(keys, 'zms', zmsKeyId))
  }
  const json = isJsonOf(canonical.data) ? canonical.data : JSON.stringify(data)
  const text = `{"signedPolicyData":${json},"keyId":${JSON.stringify(keyId)},"signature":"${signature}"}`
  return { ...told, form: 'signed', keyId, data, text }
}

async function verifyCanonical(text: string, signature: string, key: KeyObject): Promise<void> {
  const bytes = parseYBase64(signature)
  if (typeof bytes === 'string') throw new UnusablePolicies(`a signature in it is ${bytes}`)
  if (!(await verifySignature(key, text, bytes, 'thread-pool'))) throw new UnusablePolicies('its signature is wrong')
}

/** Whether canonical text is the JSON of what it was made of: as a rule; not if a text in it needs escapes. */
function isJsonOf(canonical: string): boolean {
  if (canonical.includes('\\')) return false
  try {
    JSON.parse(canonical)
    return true
  } catch {
    return false
  }
}

/** Canonical texts of the signed data, and of the policies within, which ZMS signs. */
function* canonicalSteps(data: JsonObject): Steps<{ data: string; policies: string }> {
  const policyData = objectMember(data, 'policyData') ?? {}
  const policies = {
    ...policyData,
    policies: yield* canonicalListSteps(policyData['policies'], canonicalShapes.policy, [
      'assertions',
      canonicalShapes.assertion,
    ]),
  }
  return {
    data: canonicalText({ ...data, policyData: policies }, canonicalShapes.signedPolicyData),
    policies: canonicalText(policies, canonicalShapes.contents),
  }
}

async function webSignature(document: JsonObject, { keys }: PolicyVerification): Promise<PolicyDocument> {
  const part = (name: string) => textMember(document, name) ?? ''
  const jws = parseCompactJws(`${part('protected')}.${part('payload')}.${part('signature')}`, DOCUMENT_MAX_LENGTH)
  if (typeof jws === 'string') throw new UnusablePolicies(`it is neither signed policies nor a web signature: ${jws}`)
  const { alg, kid } = jws.header
  const outer = objectMember(document, 'header')
  const outerKid = outer && textMember(outer, 'kid')
  if (kid === undefined || (outerKid ?? kid) !== kid) {
    throw new UnusablePolicies('its protected header names no key, or another one than its header')
  }
  const key = await knownKey(keys, 'zts', kid)
  const { signingInput, signature } = jws
  // Servers write ECDSA signatures of policies as ASN.1, unless they are asked for the form of the standard.
  const valid =
    (await verifyJoseSignature(alg, key, signingInput, signature, 'p1363', 'thread-pool')) ||
    (await verifyJoseSignature(alg, key, signingInput, signature, 'der', 'thread-pool'))
  if (!valid) throw new UnusablePolicies('its signature is wrong')
  const data = parseJsonObject(jws.payload)
  if (data === undefined) throw new UnusablePolicies('its payload is no JSON object')
  const told = await inTurns(readSignedPolicyData(data, 'json'))
  const text = JSON.stringify({
    payload: part('payload'),
    protected: part('protected'),
    header: { kid },
    signature: part('signature'),
  })
  return { ...told, form: 'jws', keyId: kid, data, text }
}

async function knownKey(keys: PolicyKeys, server: 'zts' | 'zms', keyId: string): Promise<KeyObject> {
  const key = await keys[server](keyId)
  if (key !== undefined) return key
  const owner = server === 'zts' ? 'ZTS' : 'ZMS'
  throw new UnusablePolicies(
    `it is signed with the key ${excerpt(JSON.stringify(keyId))} of ${owner}, which is not known`,
    {
      unknownKey: true,
    },
  )
}

/** How the data are signed: over their canonical text, which escapes nothing, or as JSON. */
type SignedAs = 'canonical' | 'json'

type Told = Omit<PolicyDocument, 'form' | 'keyId' | 'data' | 'text'>

/** Members of assertions that are read between two looks at the time. */
const STEP_SIZE = 1000

/** Reads what is signed, strictly: what is not understood in full must not be decided with. */
function* readSignedPolicyData(data: JsonObject, signedAs: SignedAs): Steps<Told> {
  const policyData = objectMember(data, 'policyData')
  const domain = policyData && textOf(policyData, 'domain', signedAs)
  const list: unknown = policyData?.['policies'] ?? []
  if (domain === undefined || domain === '' || !Array.isArray(list)) throw new UnusablePolicies('it names no domain')
  const modified = textOf(data, 'modified', signedAs)
  const expires = textOf(data, 'expires', signedAs)
  for (const name of ['zmsSignature', 'zmsKeyId']) checkText(data, name, signedAs)
  const policies: string[] = []
  const assertions: PolicyAssertion[] = []
  for (const each of list as unknown[]) {
    if (!isObject(each)) throw new UnusablePolicies('it has a policy that is no object')
    const policy = textOf(each, 'name', signedAs)
    checkText(each, 'modified', signedAs)
    policies.push(policy)
    const listed: unknown = each['assertions'] ?? []
    if (!Array.isArray(listed)) throw new UnusablePolicies('it has a policy whose assertions are no list')
    for (const assertion of listed as unknown[]) {
      if (!isObject(assertion)) throw new UnusablePolicies('it has an assertion that is no object')
      assertions.push(readAssertion(assertion, policy, signedAs))
      if (assertions.length % STEP_SIZE === 0) yield
    }
  }
  return {
    domain,
    policies,
    assertions,
    modified,
    modifiedMillis: timeOf('modified', modified),
    expiresMillis: timeOf('expires', expires),
  }
}

function readAssertion(assertion: JsonObject, policy: string, signedAs: SignedAs): PolicyAssertion {
  const effect = Object.hasOwn(assertion, 'effect') ? (assertion['effect'] ?? 'ALLOW') : 'ALLOW'
  if (effect !== 'ALLOW' && effect !== 'DENY') throw new UnusablePolicies('it has an assertion of an unknown effect')
  return {
    policy,
    role: textOf(assertion, 'role', signedAs),
    action: textOf(assertion, 'action', signedAs),
    resource: textOf(assertion, 'resource', signedAs),
    effect,
  }
}

/**
 * A member that must be a text. In canonical text, a quotation mark before a comma or brace could end the text early: two
 * documents, one with an assertion less, would have the same signature. Without such a place each has its own.
 */
function textOf(object: JsonObject, name: string, signedAs: SignedAs): string {
  const text = textMember(object, name)
  if (text === undefined) throw new UnusablePolicies(`it has no ${name} where one must be`)
  if (signedAs === 'canonical' && END_OF_TEXT.test(text)) {
    throw new UnusablePolicies(`it has a ${name} that could end early, which its signature does not protect`)
  }
  return text
}

const END_OF_TEXT = /"[,}]/

/** Likewise for a member that may be absent. */
function checkText(object: JsonObject, name: string, signedAs: SignedAs): void {
  if (Object.hasOwn(object, name) && object[name] !== null) textOf(object, name, signedAs)
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/

function timeOf(name: string, text: string): number {
  const time = ISO_TIME.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw new UnusablePolicies(`its ${name} is no time`)
  return time
}

function objectMember(object: JsonObject, name: string): JsonObject | undefined {
  const value = Object.hasOwn(object, name) ? object[name] : undefined
  return isObject(value) ? value : undefined
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
