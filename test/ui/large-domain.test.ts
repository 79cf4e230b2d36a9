import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { withQuery } from '#ui/html.ts'
import { callsOf, foreignCode, startWebPage, textOf } from './web-page.ts'

const ASSERTIONS = 10_000
const OBJECTS = 1000
const MEMBERS = 1000
const LONGEST_MILLIS = 200
const GREATEST_BYTES = 100_000
const CALLS = 3
const ROUNDS = 10

const { admin, zms, pids } = await startWebPage({ 'athenz.zms.quota_check': 'false' })
await zms.call('postTopLevelDomain', { body: { name: 'large', adminUsers: ['user.admin'] } })
const roleMembers = Array.from({ length: MEMBERS }, (_, at) => ({ memberName: `user.joe${at}` }))
for (const roleName of ['readers', 'writers']) {
  await zms.call('putRole', { domainName: 'large', roleName, body: { name: roleName, roleMembers } })
}
await zms.call('putPolicy', {
  domainName: 'large',
  policyName: 'everything',
  body: {
    name: 'everything',
    assertions: Array.from({ length: ASSERTIONS }, (_, at) => ({
      role: `large:role.${at % 3 === 0 ? 'readers' : 'writers'}`,
      action: at % 2 === 0 ? 'read' : 'write',
      resource: `large:thing.${at}${at % 10 === 0 ? '.*' : ''}`,
      ...(at % 20 === 0 && { effect: 'DENY' as const }),
    })),
  },
})
const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicKeys = [{ id: '0', key: encodeYBase64(publicKey.export({ type: 'spki', format: 'pem' })) }]
const numbers = Array.from({ length: OBJECTS }, (_, at) => at)
for (let from = 0; from < OBJECTS; from += 50) {
  await Promise.all(
    numbers.slice(from, from + 50).flatMap((at) => [
      zms.call('putPolicy', { domainName: 'large', policyName: `p${at}`, body: { name: `p${at}`, assertions: [] } }),
      zms.call('putServiceIdentity', {
        domain: 'large',
        service: `service${at}`,
        body: { name: `large.service${at}`, publicKeys },
      }),
    ]),
  )
}

const POLICY = '/domain/large/policy/everything'
const written = { effect: 'ALLOW', role: 'readers', assertedAction: 'read', resource: 'thing.*', version: '0' }

for (const [what, target, expected] of [
  ['the policies', '/domain/large/policies', /1002 policies/],
  ['policies that are looked for', '/domain/large/policies?filter=99', /19 policies/],
  ['a policy of 10,000 assertions', POLICY, /10000 assertions/],
  ['assertions that are looked for', `${POLICY}?filter=thing.9999`, /1 assertion /],
  [
    'an assertion of them, written with a preview',
    withQuery(`${POLICY}/new-assertion`, written),
    /wholly or in part by \d+ DENY assertions/,
  ],
  ['the question before they are deleted', `${POLICY}/delete`, /10000 in version 0/],
  ['the services', '/domain/large/services', /1000 services/],
  ['a service', '/domain/large/service/service7', /RSA 2048/],
  [
    'why, with all of them',
    withQuery('/access', { principal: 'user.joe1', action: 'read', resource: 'large:thing.20.x' }),
    /A DENY forbids it/,
  ],
  [
    'why not, with all of them',
    withQuery('/access', { principal: 'user.jane', action: 'read', resource: 'large:thing.20.x' }),
    /not allowed/,
  ],
  [
    'what somebody may do by all of them',
    withQuery('/access', { principal: 'user.joe1' }),
    /10000 assertions about roles/,
  ],
] as const) {
  test(`${what}: at most ${LONGEST_MILLIS} ms of both servers, ${CALLS} calls and ${GREATEST_BYTES} bytes`, async (t) => {
    const first = await admin.get(target)
    assert.equal(first.status, 200, textOf(first.text))
    assert.match(textOf(first.text), expected)
    assert.deepEqual(foreignCode(first.text), [])
    const began = processorMillis()
    for (let round = 0; round < ROUNDS; round++) await admin.get(target)
    const millis = (processorMillis() - began) / ROUNDS
    const bytes = Buffer.byteLength(first.text)
    t.diagnostic(`${what}: ${millis.toFixed(0)} ms of processor, ${callsOf(first)} calls, ${bytes} bytes`)
    assert.ok(callsOf(first) <= CALLS, `${callsOf(first)} calls`)
    assert.ok(bytes <= GREATEST_BYTES, `${bytes} bytes`)
    assert.ok(millis <= LONGEST_MILLIS, `${millis} ms`)
  })
}

test('the parts of a list are all of it, each once', async () => {
  const seen = new Set<string>()
  let target: string | undefined = `${POLICY}?filter=thing.99`
  while (target !== undefined) {
    const { text } = await admin.get(target)
    const found = [...text.matchAll(/<code>(large:thing\.[^<]*)<\/code>/g)].map(([, name = '']) => name)
    for (const name of found) assert.equal(seen.has(name), false, name)
    for (const name of found) seen.add(name)
    target = /href="([^"]*)" rel="next"/.exec(text)?.[1]?.replaceAll('&amp;', '&')
  }
  assert.equal(seen.size, 1 + 10 + 100)
})

/** Processor time of both servers, in milliseconds; the kernel counts hundredths of seconds. */
const processorMillis = (): number =>
  [pids.zms, pids.ui].reduce<number>((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return sum + (Number(fields[11]) + Number(fields[12])) * 10
  }, 0)
