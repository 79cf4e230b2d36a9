import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { userToken } from '../../src/cli/user-token.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const tokenUntil = (name: string, seconds: number) =>
  `v=U1;d=user;n=${name};t=1;e=${Math.floor(Date.now() / 1000) + seconds};s=c2lnbmF0dXJl`

describe('the token of a user', () => {
  const folder = temporaryFolder()
  const asked: string[] = []
  let server: Server
  let url: string

  before(async () => {
    server = createServer(({ headers, url: path }, response) => {
      asked.push(`${path} ${headers.authorization}`)
      const isRight = headers.authorization === `Basic ${Buffer.from('joe:secret').toString('base64')}`
      response.writeHead(isRight ? 200 : 401, { 'content-type': 'application/json' })
      response.end(JSON.stringify(isRight ? { token: tokenUntil('joe', 3600) } : { code: 401, message: 'no' }))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })

  after(() => server.close())

  const tokenIn = (file: string, password = 'secret') =>
    userToken({ identity: 'user.joe', file: join(folder, file), askPassword: async () => password, zms: { url } })

  test('is asked for with the password, and kept for the user alone', async () => {
    const token = await tokenIn('kept')
    assert.match(asked.at(-1) ?? '', /^\/zms\/v1\/user\/joe\/token Basic /)
    assert.equal(readFileSync(join(folder, 'kept'), 'utf8'), token)
    assert.equal(statSync(join(folder, 'kept')).mode & 0o777, 0o600)
    const times = asked.length
    assert.equal(await tokenIn('kept', 'nobody is asked'), token)
    assert.equal(asked.length, times)
  })

  for (const [what, text] of [
    ['has ended', tokenUntil('joe', -1)],
    ['ends at once', tokenUntil('joe', 5)],
    ['is of somebody else', tokenUntil('jane', 3600)],
    ['is none', 'nonsense'],
  ] as const) {
    test(`one that ${what} is not used`, async () => {
      writeFileSync(join(folder, 'other'), text)
      const token = await tokenIn('other')
      assert.notEqual(token, text)
      assert.match(token, /;n=joe;/)
    })
  }

  test('a wrong password gives none, and leaves nothing', async () => {
    await assert.rejects(tokenIn('none', 'wrong'), { name: 'AthenzClientError', status: 401 })
    assert.throws(() => statSync(join(folder, 'none')), { code: 'ENOENT' })
  })
})
