import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { PageIndex } from '#ui/page-index.ts'
import { PAGES } from '#ui/pages.ts'
import { comparePictures } from '../../support/browser.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { ZmsCli } from '../../support/zms-cli.ts'
import { describeInBrowser, type Visitor } from './visitor.ts'

const GOLDEN = new URL('../golden/', import.meta.url)
const OWNER = 'user.owner'
const MONTH_MILLIS = 30 * 86_400_000

/** Every page once, with something on it, by the name of its picture. */
const SIGHTS: readonly (readonly [name: string, path: string])[] = [
  ['home', '/'],
  ['due', '/due'],
  ['search', '/search?q=play'],
  ['new-domain', '/new-domain'],
  ['access', '/access?domain=club&principal=user.jane&action=play&resource=club:field'],
  ['domain', '/domain/club'],
  ['domain-settings', '/domain/club/settings'],
  ['domain-history', '/domain/club/history'],
  ['domain-delete', '/domain/club/delete'],
  ['roles', '/domain/club/roles'],
  ['role', '/domain/club/role/players'],
  ['role-member', '/domain/club/role/players/member/user.joe'],
  ['role-selection', '/domain/club/role/players/members?member=user.joe'],
  ['role-review', '/domain/club/role/players/review'],
  ['role-settings', '/domain/club/role/players/settings'],
  ['role-history', '/domain/club/role/players/history'],
  ['role-delete', '/domain/club/role/players/delete'],
  ['groups', '/domain/club/groups'],
  ['group', '/domain/club/group/team'],
  ['group-member', '/domain/club/group/team/member/user.jane'],
  ['group-selection', '/domain/club/group/team/members?member=user.jane'],
  ['group-review', '/domain/club/group/team/review'],
  ['group-settings', '/domain/club/group/team/settings'],
  ['group-history', '/domain/club/group/team/history'],
  ['group-delete', '/domain/club/group/team/delete'],
  ['policies', '/domain/club/policies'],
  ['policy', '/domain/club/policy/games'],
  ['policy-version', '/domain/club/policy/games/version/next'],
  ['policy-delete', '/domain/club/policy/games/delete'],
  ['policy-version-delete', '/domain/club/policy/games/version/next/delete'],
  ['assertion', '/domain/club/policy/games/version/0/assertion/{assertion}'],
  ['new-assertion', '/domain/club/policy/games/new-assertion?role=players&action=play&resource=club:field'],
  ['services', '/domain/club/services'],
  ['service', '/domain/club/service/api'],
  ['service-delete', '/domain/club/service/api/delete'],
  ['templates', '/domain/club/templates'],
  ['template', '/domain/club/template/{template}'],
  ['template-delete', '/domain/club/template/{template}/delete'],
]

describeInBrowser('every page, in both themes', (there) => {
  const ids = new Map<string, string>()

  before(async () => {
    await fill(new ZmsCli('', there.servers.summary, temporaryFolder()), ids)
    await mkdir(GOLDEN, { recursive: true })
  })

  const pathOf = (path: string) => path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids.get(name) ?? '')

  test('is looked at', () => {
    const index = new PageIndex(PAGES)
    const seen = new Set(SIGHTS.map(([, path]) => index.find(pathOf(path).split('?', 1)[0] ?? '')?.page))
    assert.deepEqual(
      PAGES.filter((page) => !seen.has(page)).map(({ path }) => path),
      [],
    )
  })

  for (const theme of ['light', 'dark'] as const) {
    test(`is sound, and looks as it did: ${theme}`, async () => {
      await using visitor = await there.signedIn('owner', { theme, scale: 0.25 })
      const problems: string[] = []
      for (const [name, path] of SIGHTS) {
        const status = await visitor.go(pathOf(path))
        if (status !== 200) problems.push(`${name}: status ${status}, ${await visitor.heading}`)
        await visitor.assertSound().catch((error: Error) => problems.push(`${name}: ${error.message}`))
        problems.push(...(await compareWithGolden(visitor, `${name}-${theme}.png`)))
      }
      assert.deepEqual(problems, [])
    })
  }

  test('fits on a telephone', async () => {
    await using visitor = await there.signedIn('owner', { width: 360, height: 740 })
    const wide: string[] = []
    for (const [name, path] of SIGHTS) {
      await visitor.go(pathOf(path))
      const width = Number(await visitor.page.evaluate('document.documentElement.scrollWidth'))
      if (width > 360) wide.push(`${name}: ${width} pixels`)
    }
    assert.deepEqual(wide, [])
  })

  test('is reached with the keyboard', async () => {
    await using visitor = await there.signedIn('owner')
    await visitor.go('/domain/club/role/players')
    await visitor.page.keyboard.press('Tab')
    assert.equal(await focused(visitor), 'Skip to content')
    await visitor.page.keyboard.press('Enter')
    assert.equal(await visitor.page.evaluate('document.activeElement.id'), 'content')
  })
})

const focused = (visitor: Visitor) => visitor.page.evaluate('document.activeElement.textContent.trim()')

/** Pictures may differ by other fonts and by dates; whole parts that are missing or elsewhere may not. */
const MOST_DIFFERENCE = { mean: 0.04, changed: 0.06 }

async function compareWithGolden(visitor: Visitor, file: string): Promise<string[]> {
  const picture = await visitor.page.screenshot()
  const golden = new URL(file, GOLDEN)
  if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(golden, picture)
  const { mean, changed } = await comparePictures(visitor.page, await readFile(golden), picture)
  if (mean <= MOST_DIFFERENCE.mean && changed <= MOST_DIFFERENCE.changed) return []
  const folder = join(import.meta.dirname, '../../../node_modules/.cache/pictures')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, file), picture)
  return [
    `${file} looks otherwise (mean ${mean.toFixed(3)}, changed ${changed.toFixed(3)}): compare it with node_modules/.cache/pictures/${file}; UPDATE_GOLDEN=1 rewrites it`,
  ]
}

/** A domain with something on every page. */
async function fill(zms: ZmsCli, ids: Map<string, string>): Promise<void> {
  const put = async (who: string, method: string, path: string, body?: object) => {
    const answer = await zms.rest(who, method, path, body)
    assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer)}`)
    return answer.body as Record<string, unknown>
  }
  const soon = new Date(Date.now() + MONTH_MILLIS).toISOString()
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
  const roleMembers = [
    { memberName: 'user.joe', expiration: soon },
    { memberName: 'user.max' },
    { memberName: 'club.api' },
    { memberName: 'club:group.team' },
  ]
  const publicKeys = [{ id: '0', key: await ybase64PublicKey() }]
  await put(OWNER, 'PUT', '/domain/club/service/api', { name: 'club.api', description: 'The scores', publicKeys })
  const role = { name: 'club:role.players', description: 'Who plays', roleMembers, tags: { kind: { list: ['sport'] } } }
  await put(OWNER, 'PUT', '/domain/club/role/players', role)
  await put(OWNER, 'PUT', '/domain/club/role/players/meta', { selfServe: true, description: 'Who plays' })
  await put('user.pat', 'PUT', '/domain/club/role/players/member/user.pat', { memberName: 'user.pat' })
  await put(OWNER, 'PUT', '/domain/club/role/guests', { name: 'club:role.guests', trust: 'guests' })
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
  ids.set('assertion', String((policy['assertions'] as { id: number }[])[0]?.id))
  const { templateNames } = await put(OWNER, 'GET', '/template')
  const [template = ''] = templateNames as string[]
  ids.set('template', template)
  await put(OWNER, 'PUT', '/domain/club/template', { templateNames: [template], params: [] })
}

async function ybase64PublicKey(): Promise<string> {
  const { generateKeyPairSync } = await import('node:crypto')
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = publicKey.export({ type: 'spki', format: 'pem' })
  return Buffer.from(pem).toString('base64').replaceAll('+', '.').replaceAll('/', '_').replaceAll('=', '-')
}
