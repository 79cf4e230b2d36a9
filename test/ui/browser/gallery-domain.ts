import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import type { ZmsCli } from '../../support/zms-cli.ts'

/** Who looks at the pages, and administers what is there. */
export const OWNER = 'user.owner'

const DAY_MILLIS = 86_400_000
/** Dates that pages show in fields; they never change. */
const [LONG_AGO, FAR_AWAY] = ['2020-01-31T00:00:00Z', '2038-01-31T00:00:00Z']
const inDays = (days: number) => new Date(Date.now() + days * DAY_MILLIS).toISOString()

/** The public key of RFC 7517, section A.1: pictures show its digest. */
const PUBLIC_KEY = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
}

/** Makes domains with something on every page; gives what the paths of pages need to know of them. */
export async function fillGallery(zms: ZmsCli): Promise<ReadonlyMap<string, string>> {
  const put = async (who: string, method: string, path: string, body?: object) => {
    const answer = await zms.rest(who, method, path, body)
    assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer)}`)
    return answer.body as Record<string, unknown>
  }
  const club = {
    name: 'club',
    adminUsers: [OWNER],
    description: 'Everything about the club',
    tags: { team: { list: ['red'] } },
  }
  await put('user.admin', 'POST', '/domain', club)
  await put('user.admin', 'POST', '/domain', { name: 'guests', adminUsers: [OWNER] })
  const groupMembers = [{ memberName: 'user.jane' }, { memberName: 'user.kim' }]
  await put(OWNER, 'PUT', '/domain/club/group/team', { name: 'club:group.team', groupMembers })
  const pem = createPublicKey({ key: PUBLIC_KEY, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  const publicKeys = [{ id: '0', key: encodeYBase64(pem.toString()) }]
  await put(OWNER, 'PUT', '/domain/club/service/api', { name: 'club.api', description: 'The scores', publicKeys })
  const roleMembers = [
    { memberName: 'user.joe', expiration: FAR_AWAY },
    { memberName: 'user.max' },
    { memberName: 'user.former', expiration: LONG_AGO },
    { memberName: 'user.late', reviewReminder: LONG_AGO },
    { memberName: 'user.suspended' },
    { memberName: 'club.api' },
    { memberName: 'club:group.team' },
  ]
  const role = { name: 'club:role.players', description: 'Who plays', roleMembers, tags: { kind: { list: ['sport'] } } }
  await put(OWNER, 'PUT', '/domain/club/role/players', role)
  await put('user.admin', 'PUT', '/principal/user.suspended/state', { suspended: true })
  await put(OWNER, 'PUT', '/domain/club/role/players/meta', { selfServe: true, description: 'Who plays' })
  await put('user.pat', 'PUT', '/domain/club/role/players/member/user.pat', { memberName: 'user.pat' })
  await put(OWNER, 'PUT', '/domain/club/role/guests', { name: 'club:role.guests', trust: 'guests' })
  await put(OWNER, 'PUT', '/domain/guests/role/on-call', {
    name: 'guests:role.on-call',
    selfRenew: true,
    selfRenewMins: 1440,
    memberReviewDays: 90,
    lastReviewedDate: inDays(-200),
    roleMembers: [{ memberName: OWNER, expiration: inDays(0.5) }],
  })
  const ended = { name: 'guests:role.waiters', roleMembers: [{ memberName: OWNER, expiration: LONG_AGO }] }
  await put(OWNER, 'PUT', '/domain/guests/role/waiters', ended)
  await put('user.admin', 'POST', '/domain', { name: 'vault', adminUsers: [OWNER] })
  await put(OWNER, 'PUT', '/domain/vault/role/openers', { name: 'vault:role.openers', selfServe: true })
  await put('user.admin', 'PUT', '/domain/vault/meta/system/auditenabled', { auditEnabled: true })
  await put('user.pat', 'PUT', '/domain/vault/role/openers/member/user.pat', { memberName: 'user.pat' })
  const assertions = ['play', 'watch', 'referee'].map((action) => ({
    role: 'club:role.players',
    resource: 'club:field',
    action,
    effect: action === 'referee' ? 'DENY' : 'ALLOW',
  }))
  await put(OWNER, 'PUT', '/domain/club/policy/games', { name: 'club:policy.games', assertions })
  await put(OWNER, 'PUT', '/domain/club/policy/games/version/create', {
    policyName: 'games',
    version: 'next',
    fromVersion: '0',
  })
  const policy = await put(OWNER, 'GET', '/domain/club/policy/games')
  const { templateNames } = await put(OWNER, 'GET', '/template')
  const [template = ''] = templateNames as string[]
  await put(OWNER, 'PUT', '/domain/club/template', { templateNames: [template], params: [] })
  return new Map([
    ['assertion', String((policy['assertions'] as { id: number }[])[0]?.id)],
    ['template', template],
  ])
}
