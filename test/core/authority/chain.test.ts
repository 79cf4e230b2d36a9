import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuthenticationResult, Authority } from '#core/authority/authority.ts'
import { type AuthenticationOutcome, AuthorityChain } from '#core/authority/chain.ts'
import type { Principal } from '#core/authority/principal.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { type RequestParts, requestOf } from './support.ts'

type Answer = AuthenticationResult | Promise<AuthenticationResult>

const principal = (authority: Authority, domain = 'sports', roles?: readonly string[]): Principal => ({
  domain,
  name: 'api',
  fullName: `${domain}.api`,
  authority,
  issueTimeSeconds: 0,
  ...(roles && { roles }),
})

interface Fake extends Authority {
  readonly calls: unknown[][]
}

/** An authority for the header `X-{id}`; `answer` is what it says about every credential. */
function fake(id: string, answer: (authority: Authority) => Answer, members: Partial<Authority> = {}): Fake {
  const authority: Fake = {
    id,
    credentialSource: 'header',
    header: `X-${id}`,
    challenge: `${id} realm="athenz"`,
    allowAuthorization: true,
    calls: [],
    authenticateHeader: (...call) => {
      authority.calls.push(call)
      return answer(authority)
    },
    ...members,
  }
  return authority
}
const accepting = (id: string, members?: Partial<Authority>) => fake(id, (self) => principal(self), members)
const refusing = (id: string, members?: Partial<Authority>) => fake(id, () => ({ rejected: `${id} is bad` }), members)
const later = (id: string, answer: (authority: Authority) => AuthenticationResult) =>
  fake(id, async (self) => answer(self))

const ask = (
  authorities: readonly Authority[],
  parts: RequestParts,
  { optional = false, multipleChallengeHeaders = true } = {},
): AuthenticationOutcome | Promise<AuthenticationOutcome> =>
  new AuthorityChain(authorities, { multipleChallengeHeaders }).authenticate(requestOf(parts), optional)

/** Sends the header of each authority. */
const credentialsFor = (...ids: readonly string[]) => ({
  rawHeaders: ids.flatMap((id) => [`X-${id}`, `credential-${id}`]),
})

function assertUnauthorized(outcome: AuthenticationOutcome, reasons: string, challenges: unknown): void {
  const { failure } = outcome
  assert.ok(failure instanceof ServiceError)
  assert.equal(failure.status, 401)
  assert.equal(failure.message, 'Invalid credentials')
  assert.equal(failure.detail, reasons)
  assert.deepEqual(failure.headers, challenges === undefined ? undefined : { 'www-authenticate': challenges })
  assert.equal(outcome.reasons, reasons)
  assert.equal(outcome.principal, undefined)
}

describe('order of the authorities', () => {
  test('takes the first principal and does not consult the rest', () => {
    const [a, b] = [accepting('a'), accepting('b')]
    const outcome = ask([a, b], credentialsFor('a', 'b'))
    assert.deepEqual(outcome, { principal: principal(a), reasons: '' })
    assert.equal(b.calls.length, 0)
  })

  test('goes on behind an authority without credential', () => {
    const [a, b] = [accepting('a'), accepting('b')]
    assert.equal((ask([a, b], credentialsFor('b')) as AuthenticationOutcome).principal?.authority, b)
    assert.equal(a.calls.length, 0)
  })

  test('goes on behind an authority that refuses', () => {
    const [a, b] = [refusing('a'), accepting('b')]
    const outcome = ask([a, b], credentialsFor('a', 'b'))
    assert.deepEqual(outcome, { principal: principal(b), reasons: '' })
  })

  test('goes on behind an authority that takes its time', async () => {
    const [a, b, c] = [later('a', () => ({ rejected: 'slow' })), later('b', () => null), accepting('c')]
    const outcome = ask([a, b, c], credentialsFor('a', 'b', 'c'))
    assert.ok(outcome instanceof Promise)
    assert.equal((await outcome).principal?.authority, c)
  })

  test('hands over credential, address and method', () => {
    const a = accepting('a')
    void ask([a], { ...credentialsFor('a'), method: 'PUT', remoteAddress: '127.0.0.1' })
    assert.deepEqual(a.calls, [['credential-a', '127.0.0.1', 'PUT']])
  })

  test('always asks an authority that reads the request itself', () => {
    const request = requestOf({})
    const seen: unknown[] = []
    const reader = fake('r', () => null, {
      credentialSource: 'request',
      header: undefined,
      authenticateRequest: (given) => {
        seen.push(given)
        return null
      },
    })
    assertUnauthorized(
      new AuthorityChain([reader]).authenticate(request, false) as AuthenticationOutcome,
      'No credentials provided',
      ['r realm="athenz"'],
    )
    assert.deepEqual(seen, [request])
  })
})

describe('failure of all authorities', () => {
  test('collects texts and challenges in the order of the chain', async () => {
    const chain = [refusing('a'), accepting('b'), later('c', () => ({ rejected: 'c is late' }))]
    assertUnauthorized(await ask(chain, credentialsFor('a', 'c')), ':error: a is bad:error: c is late', [
      'a realm="athenz"',
      'b realm="athenz"',
      'c realm="athenz"',
    ])
  })

  test('names a challenge once', () => {
    const challenge = 'Basic realm="athenz"'
    const chain = [refusing('a', { challenge }), refusing('b'), refusing('c', { challenge })]
    assertUnauthorized(ask(chain, credentialsFor('c')) as AuthenticationOutcome, ':error: c is bad', [
      challenge,
      'b realm="athenz"',
    ])
  })

  test('joins the challenges to one header where it is told to', () => {
    const outcome = ask([refusing('a'), refusing('b')], credentialsFor(), { multipleChallengeHeaders: false })
    assertUnauthorized(
      outcome as AuthenticationOutcome,
      'No credentials provided',
      'a realm="athenz", b realm="athenz"',
    )
  })

  test('sends no challenge where none is defined', () => {
    const outcome = ask([refusing('a', { challenge: undefined })], credentialsFor('a'))
    assertUnauthorized(outcome as AuthenticationOutcome, ':error: a is bad', undefined)
  })

  test('says so when there was no credential', () => {
    assertUnauthorized(ask([accepting('a')], {}) as AuthenticationOutcome, 'No credentials provided', [
      'a realm="athenz"',
    ])
  })

  test('takes an empty header for a credential', () => {
    const outcome = ask([refusing('a')], { rawHeaders: ['X-a', ''] }, { optional: true })
    assertUnauthorized(outcome as AuthenticationOutcome, ':error: a is bad', ['a realm="athenz"'])
  })

  test('without any authority is a failure of the server', () => {
    const { failure, principal: nobody } = ask([], {}, { optional: true }) as AuthenticationOutcome
    assert.equal(failure?.status, 500)
    assert.equal(failure?.message, 'No authorities configured')
    assert.equal(nobody, undefined)
  })

  test('keeps control characters out of the reasons, and cuts them', () => {
    const text = `a\nb\r\u0085\u2028\u202e${'x'.repeat(5000)}`
    const outcome = ask([fake('a', () => ({ rejected: text }))], credentialsFor('a')) as AuthenticationOutcome
    assert.equal(outcome.reasons, `:error: a?b????${'x'.repeat(1017)}`)
  })
})

describe('optional authentication', () => {
  test('lets a request without credential go on without principal', () => {
    assert.deepEqual(ask([accepting('a'), accepting('b')], {}, { optional: true }), { reasons: '' })
  })

  test('gives the principal of a good credential', () => {
    const outcome = ask([accepting('a')], credentialsFor('a'), { optional: true }) as AuthenticationOutcome
    assert.equal(outcome.principal?.fullName, 'sports.api')
  })

  test('refuses a bad credential', () => {
    const outcome = ask([refusing('a'), accepting('b')], credentialsFor('a'), { optional: true })
    assertUnauthorized(outcome as AuthenticationOutcome, ':error: a is bad', ['a realm="athenz"', 'b realm="athenz"'])
  })

  test('lets a request go on whose credential is of no concern to the authority', () => {
    assert.deepEqual(ask([fake('a', () => null)], credentialsFor('a'), { optional: true }), { reasons: '' })
  })
})

describe('what an authority may vouch for', () => {
  test('refuses a principal of another domain than the authority has', () => {
    const outcome = ask([accepting('a', { domain: 'user' })], credentialsFor('a')) as AuthenticationOutcome
    assertUnauthorized(outcome, ':error: a: principal of domain sports, where only user is vouched for', [
      'a realm="athenz"',
    ])
  })

  test('accepts a role principal of any domain', () => {
    const a = fake('a', (self) => principal(self, 'sports', ['readers']), { domain: 'sys.auth' })
    assert.deepEqual((ask([a], credentialsFor('a')) as AuthenticationOutcome).principal?.roles, ['readers'])
  })

  test('refuses a role principal without roles', () => {
    const a = fake('a', (self) => principal(self, 'sports', []))
    assertUnauthorized(
      ask([a], credentialsFor('a')) as AuthenticationOutcome,
      ':error: a: a role principal without roles',
      ['a realm="athenz"'],
    )
  })

  test('does not take an object for a chain that lacks the method of its source', () => {
    const headless = accepting('a', { authenticateHeader: undefined })
    assert.throws(() => new AuthorityChain([headless]), {
      name: 'TypeError',
      message: 'authority a has no method for the credential source header',
    })
  })
})

describe('faults', () => {
  test('are not turned into a decision when an authority throws', () => {
    const broken = fake('a', () => {
      throw new Error('store is down')
    })
    assert.throws(() => ask([broken, accepting('b')], credentialsFor('a', 'b')), { message: 'store is down' })
  })

  test('are not turned into a decision when an authority rejects', async () => {
    const broken = later('a', () => {
      throw new Error('store is down')
    })
    await assert.rejects(async () => ask([broken, accepting('b')], credentialsFor('a', 'b')), {
      message: 'store is down',
    })
  })

  test('closing the chain closes the authorities', async () => {
    const closed: string[] = []
    const closing = (id: string) => accepting(id, { close: () => void closed.push(id) })
    await new AuthorityChain([closing('a'), accepting('b'), closing('c')]).close()
    assert.deepEqual(closed, ['a', 'c'])
  })
})
