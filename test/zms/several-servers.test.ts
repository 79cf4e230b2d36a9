import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startDevServers, startDevZmsBeside } from '../support/dev-servers.ts'
import { startMariaDb } from '../support/mariadb.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { ZmsCli } from '../support/zms-cli.ts'

const ADMIN = 'user.admin'
const [CLIENTS, ROUNDS] = [8, 8]

test('two ZMS on one database, each asked about what the other just changed, while both change the same objects', async () => {
  const dir = temporaryFolder()
  await using database = await startMariaDb()
  await database.query('CREATE DATABASE zms_several')
  const first = { dir: join(dir, 'first'), zts: false, mysqlUrl: database.url('zms_several') }
  await using one = await startDevServers(first)
  await using other = await startDevZmsBeside(first, join(dir, 'second'))
  const servers = [one, other].map(({ summary }) => new ZmsCli('', summary, dir))
  const ask = async (turn: number, method: string, path: string, body?: object) => {
    const answer = await servers[turn % servers.length]?.rest(ADMIN, method, path, body)
    assert.ok(answer !== undefined && answer.status < 300, `${method} ${path}: ${JSON.stringify(answer)}`)
    return answer.body
  }
  await ask(0, 'POST', '/domain', { name: 'club', adminUsers: [ADMIN] })
  await ask(1, 'PUT', '/domain/club/role/players', { name: 'players' })
  await ask(0, 'PUT', '/domain/club/policy/play', { name: 'play', assertions: [] })

  const client = async (number: number) => {
    for (let round = 0; round < ROUNDS; round++) {
      const turn = number * ROUNDS + round
      const [member, action] = [`user.member${turn}`, `action${turn}`]
      const isGranted = () => ask(turn + 1, 'GET', `/access/${action}/club:field?principal=${member}`)
      const assertion = { role: 'club:role.players', action, resource: 'club:field', effect: 'ALLOW' }
      await ask(turn + 1, 'PUT', '/domain/club/policy/play/assertion', assertion)
      await ask(turn, 'PUT', `/domain/club/role/players/member/${member}`, { memberName: member })
      assert.deepEqual(await isGranted(), { granted: true })
      await ask(turn, 'DELETE', `/domain/club/role/players/member/${member}`)
      assert.deepEqual(await isGranted(), { granted: false })
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)))

  for (const turn of [0, 1]) {
    const { assertions } = (await ask(turn, 'GET', '/domain/club/policy/play')) as { assertions: { action: string }[] }
    assert.equal(new Set(assertions.map(({ action }) => action)).size, CLIENTS * ROUNDS)
    const { roleMembers } = (await ask(turn, 'GET', '/domain/club/role/players')) as { roleMembers?: unknown }
    assert.equal(roleMembers, undefined)
  }
})
