import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { createSigner, type Signer, verifySignature } from '#core/crypto/signing.ts'
import { decodeYBase64 } from '#core/crypto/ybase64.ts'
import { principalTypes } from '#core/names/principal-name.ts'
import { canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'
import { DomainSigner } from '#zms/service/domain-signer.ts'
import { newDomain } from '#zms/service/new-domain.ts'
import { applyChange } from '#zms/store/apply.ts'
import type { DomainChange, MutableDomain } from '#zms/store/change.ts'

const key = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, '0')
const plain = { conditions: false }

/** A signer that counts, and fails while it is told to. */
function countingSigner() {
  const state = { count: 0, failing: false }
  const sign: Signer['sign'] = async (data) => {
    state.count++
    if (state.failing) throw new Error('no key')
    return key.sign(data)
  }
  return { state, signer: new DomainSigner({ ...key, sign }, () => principalTypes.user) }
}

/** A domain with its own maps, as a store has it. */
function storedDomain(memberCount = 0): MutableDomain {
  const domain = newDomain({ name: 'sports', admins: ['user.a'], requestPrincipal: 'user.a' }) as MutableDomain
  change(domain, { kind: 'putRole', domain: 'sports', value: { name: 'r', modified: 0, created: 0 } })
  for (let index = 0; index < memberCount; index++) {
    change(domain, { kind: 'putRoleMember', domain: 'sports', role: 'r', value: { memberName: `user.u${index}` } })
  }
  return domain
}

/** Changes the domain in place, as a store does. */
function change(domain: MutableDomain, ...changes: DomainChange[]): void {
  for (const each of changes) applyChange(domain, each, domain.modified + 1)
}

const parse = (bytes: Buffer) => JSON.parse(bytes.toString())

describe('DomainSigner', () => {
  test('gives the same bytes, at once, while the domain is unchanged', async () => {
    const { state, signer } = countingSigner()
    const domain = storedDomain()
    const bytes = await signer.signed(domain, plain)
    assert.equal(signer.signed(domain, plain), bytes)
    assert.equal(state.count, 2)
  })

  test('signs anew after a change', async () => {
    const { signer } = countingSigner()
    const domain = storedDomain()
    const before = await signer.signed(domain, plain)
    change(domain, { kind: 'touchDomain', domain: 'sports' })
    assert.notDeepEqual(await signer.signed(domain, plain), before)
  })

  test('signs anew when another domain has taken the name at the same moment', async () => {
    const { signer } = countingSigner()
    const [first, second] = [storedDomain(), storedDomain(1)]
    await signer.signed(first, plain)
    second.modified = first.modified
    const [, role] = parse(await signer.signed(second, plain)).domain.roles
    assert.equal(role.roleMembers.length, 1)
  })

  test('does the work once for all who ask at the same time', async () => {
    const { state, signer } = countingSigner()
    const domain = storedDomain()
    const [a, b] = await Promise.all([signer.signed(domain, plain), signer.signed(domain, plain)])
    assert.equal(a, b)
    assert.equal(state.count, 2)
  })

  test('keeps each form apart', async () => {
    const { signer } = countingSigner()
    const domain = storedDomain()
    const forms = await Promise.all([
      signer.signed(domain, plain),
      signer.signed(domain, { conditions: true }),
      signer.jws(domain, { credentials: false, encoding: 'der' }),
      signer.jws(domain, { credentials: true, encoding: 'der' }),
      signer.jws(domain, { credentials: true, encoding: 'p1363' }),
    ])
    assert.equal(new Set(forms).size, forms.length)
  })

  test('tells all who ask of a failure, and tries again for the next', async () => {
    const { state, signer } = countingSigner()
    const domain = storedDomain()
    state.failing = true
    const answers = await Promise.allSettled([signer.signed(domain, plain), signer.signed(domain, plain)])
    assert.deepEqual(
      answers.map((answer) => answer.status === 'rejected' && String(answer.reason)),
      ['Error: no key', 'Error: no key'],
    )
    state.failing = false
    assert.ok(await signer.signed(domain, plain))
  })

  test('signs a large domain as it was when it was asked for, though it changes meanwhile', async () => {
    const { signer } = countingSigner()
    const count = 30_000
    const domain = storedDomain(count)
    const modified = new Date(domain.modified).toISOString()
    const signing = signer.signed(domain, plain)
    change(domain, { kind: 'putRoleMember', domain: 'sports', role: 'r', value: { memberName: 'user.new' } })
    let turns = 0
    const turn = () => {
      change(domain, { kind: 'deleteRoleMember', domain: 'sports', role: 'r', member: `user.u${turns++}` })
      if (turns < 1000) handle = setImmediate(turn)
    }
    let handle = setImmediate(turn)
    const signed = parse(await signing)
    clearImmediate(handle)
    assert.ok(turns > 1, 'others had their turn')
    assert.equal(signed.domain.modified, modified)
    const [, role] = signed.domain.roles
    assert.deepEqual([role.modified, role.roleMembers.length], [modified, count])
    const text = canonicalText(signed.domain, canonicalShapes.domain)
    assert.ok(await verifySignature(key.publicKey, text, decodeYBase64(signed.signature)))
  })
})
