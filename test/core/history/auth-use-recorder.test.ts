import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { AuthUse } from '#core/history/auth-use.ts'
import { AuthUseRecorder } from '#core/history/auth-use-recorder.ts'
import type { Exchange } from '#core/http/exchange.ts'

const NOW_SECONDS = 1_800_000_000

interface Circumstances {
  principal?: string
  status?: number
  method?: string
  secretQuery?: boolean
  concernedDomain?: string
}

const exchange = (target: string, circumstances: Circumstances = {}) => {
  const { principal = 'weather.api', status = 200, method = 'GET', ...more } = circumstances
  const domain = principal.slice(0, principal.lastIndexOf('.'))
  return {
    method,
    status,
    request: { url: target },
    principal: principal === '' ? undefined : { fullName: principal, domain },
    ...more,
  } as unknown as Exchange
}

function recorder({ maxWaiting = 100 } = {}) {
  const batches: AuthUse[][] = []
  const lines: string[] = []
  const state = { failing: false }
  const made = new AuthUseRecorder({
    store: {
      async record(uses) {
        if (state.failing) throw new Error('disk full')
        batches.push([...uses])
      },
    },
    now: () => NOW_SECONDS * 1000 + 999,
    log: (level, message) => void lines.push(`${level}: ${message}`),
    maxWaiting,
    intervalMillis: 1_000_000,
  })
  return { made, batches, lines, state }
}

const TOKEN = '/zts/v1/domain/sports/token'

suite('the recorder of uses', () => {
  test('notes who used which domain, when and with what', async () => {
    const { made, batches } = recorder()
    made.observe(exchange(`${TOKEN}?role=readers`))
    await made.close()
    assert.deepEqual(batches, [
      [
        {
          uriDomain: 'sports',
          principalDomain: 'weather',
          principalName: 'api',
          endpoint: 'GET /zts/v1/domain/sports/token?role=readers',
          epochSeconds: NOW_SECONDS,
        },
      ],
    ])
  })

  test('notes nothing of strangers, refusals and requests that are about no domain', async () => {
    const { made, batches } = recorder()
    made.observe(exchange(TOKEN, { principal: '' }))
    for (const status of [400, 403, 404, 499, 500]) made.observe(exchange(TOKEN, { status }))
    made.observe(exchange('/zms/v1/domain/sports'))
    await made.close()
    assert.deepEqual(batches, [])
  })

  test('takes the domain that the operation names before that of the target', async () => {
    const { made, batches } = recorder()
    made.observe(exchange('/zts/v1/oauth2/token', { method: 'POST', concernedDomain: 'sports' }))
    await made.close()
    assert.deepEqual(
      batches.flat().map(({ uriDomain, endpoint }) => [uriDomain, endpoint]),
      [['sports', 'POST /zts/v1/oauth2/token']],
    )
  })

  test('leaves secret queries and unprintable text out', async () => {
    const { made, batches } = recorder()
    made.observe(exchange(`${TOKEN}?code=hush`, { secretQuery: true }))
    made.observe(exchange(`${TOKEN}?\u0000é${'x'.repeat(2000)}`, { principal: 'news.api' }))
    await made.close()
    const [first, second] = batches.flat().map(({ endpoint }) => endpoint)
    assert.equal(first, `GET ${TOKEN}`)
    assert.equal(second?.length, 512)
    assert.match(second ?? '', /^GET \S+token\?\?\?x+$/)
  })

  test('delivers a principal and a domain once in a batch, and again in the next', async () => {
    const { made, batches } = recorder()
    for (let count = 0; count < 3; count++) made.observe(exchange(TOKEN))
    await made.deliver()
    made.observe(exchange(TOKEN))
    await made.close()
    assert.deepEqual(
      batches.map((batch) => batch.length),
      [1, 1],
    )
  })

  test('keeps what the store does not take, says so once, and delivers it later', async () => {
    const { made, batches, lines, state } = recorder()
    state.failing = true
    made.observe(exchange(TOKEN))
    await made.deliver()
    await made.deliver()
    assert.deepEqual(lines, ['error: the history of authentication cannot be kept: disk full'])
    state.failing = false
    await made.close()
    assert.equal(batches.flat().length, 1)
    assert.equal(lines.at(-1), 'info: the history of authentication is kept again')
  })

  test('holds no more than its limit, whatever comes, and says how much was lost', async () => {
    const { made, batches, lines, state } = recorder({ maxWaiting: 2 })
    for (const name of ['a', 'b', 'c', 'd']) made.observe(exchange(TOKEN, { principal: `weather.${name}` }))
    state.failing = true
    await made.deliver()
    for (const name of ['e', 'f']) made.observe(exchange(TOKEN, { principal: `weather.${name}` }))
    state.failing = false
    await made.close()
    assert.equal(batches.flat().length, 2)
    assert.deepEqual(
      lines.filter((line) => line.startsWith('warn')),
      [
        'warn: the history of authentication lost 2 uses: too many in one interval',
        'warn: the history of authentication lost 2 uses: too many in one interval',
      ],
    )
  })
})
