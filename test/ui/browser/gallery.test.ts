import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { PageIndex } from '#ui/page-index.ts'
import { PAGES } from '#ui/pages.ts'
import { suspend } from '../../support/suspend.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { ZmsCli } from '../../support/zms-cli.ts'
import { fillGallery } from './gallery-domain.ts'
import { differenceFromGolden, hasGoldenFonts, pictureProblems, unfold } from './pictures.ts'
import { describeInBrowser, type Visitor } from './visitor.ts'

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

/** What is seen on the way only: who does what until it is seen, and with which status. */
interface Scene {
  /** Absent: somebody who has not signed in. */
  readonly who?: 'owner' | 'jane'
  readonly status: number
  readonly act: (visitor: Visitor) => Promise<number>
  /** Leaves everything as it was. */
  readonly end?: (visitor: Visitor) => Promise<unknown>
}

/** By the name of its picture, one after the other. */
const SCENES: Readonly<Record<string, Scene>> = {
  'sign-in': { status: 200, act: (visitor) => visitor.go('/') },
  'sign-in-refused': {
    status: 401,
    async act(visitor) {
      await visitor.go('/sign-in')
      await visitor.write({ Name: 'jane', Password: 'a wrong one' })
      return visitor.press('Sign in')
    },
  },
  'not-allowed': {
    who: 'jane',
    status: 403,
    async act(visitor) {
      await visitor.go('/domain/club/role/players/delete')
      return visitor.press('Delete players')
    },
  },
  'no-page': { who: 'jane', status: 404, act: (visitor) => visitor.go('/absent') },
  'no-role': { who: 'jane', status: 404, act: (visitor) => visitor.go('/domain/club/role/absent') },
  'wrong-date': {
    who: 'owner',
    status: 400,
    async act(visitor) {
      await visitor.go('/domain/club/group/team')
      await unfold(visitor.page)
      await visitor.write({ Who: 'user.max', Until: '2020-01-31' })
      return visitor.press('Add')
    },
  },
  undo: {
    who: 'owner',
    status: 200,
    async act(visitor) {
      await visitor.go('/domain/club/group/team/member/user.kim')
      return visitor.press('Remove user.kim')
    },
    end: (visitor) => visitor.press('Undo'),
  },
  'sign-in-ended': {
    who: 'jane',
    status: 401,
    async act(visitor) {
      await visitor.go('/new-domain')
      await visitor.write({ Name: 'user.jane', Description: 'Written before the sign-in ended' })
      await visitor.page.context().clearCookies()
      return visitor.press('Create')
    },
  },
  // Goes on from there.
  'kept-form': { who: 'jane', status: 200, act: (visitor) => visitor.signIn('jane') },
}

const THEMES = ['light', 'dark'] as const

describeInBrowser('every page, in both themes', (there) => {
  let ids: ReadonlyMap<string, string>
  let sameFonts: boolean

  before(async () => {
    ids = await fillGallery(new ZmsCli('', there.servers.summary, temporaryFolder()))
    await using visitor = await there.open()
    sameFonts = await hasGoldenFonts(visitor.page)
  })

  const pathOf = (path: string) => path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids.get(name) ?? '')
  /** What is wrong with what a visitor sees. */
  async function problemsIn(visitor: Visitor, name: string, theme: string): Promise<string[]> {
    await unfold(visitor.page)
    const unsound = await visitor.assertSound().then(
      () => [],
      (error: Error) => [`${name}: ${error.message}`],
    )
    return [...unsound, ...(await pictureProblems(visitor.page, `${name}-${theme}.webp`, sameFonts))]
  }

  test('is looked at', () => {
    const index = new PageIndex(PAGES)
    const seen = new Set(SIGHTS.map(([, path]) => index.find(pathOf(path).split('?', 1)[0] ?? '')?.page))
    assert.deepEqual(
      PAGES.filter((page) => !seen.has(page)).map(({ path }) => path),
      [],
    )
  })

  for (const theme of THEMES) {
    test(`is sound, and looks as it did: ${theme}`, async (context) => {
      if (!sameFonts)
        context.diagnostic('these are other fonts than those of the pictures: only large changes are seen')
      await using visitor = await there.signedIn('owner', { theme })
      const problems: string[] = []
      for (const [name, path] of SIGHTS) {
        const status = await visitor.go(pathOf(path))
        if (status !== 200) problems.push(`${name}: status ${status}, ${await visitor.heading}`)
        problems.push(...(await problemsIn(visitor, name, theme)))
      }
      assert.deepEqual(problems, [])
    })
  }

  for (const theme of THEMES) {
    test(`what is seen on the way is sound, and looks as it did: ${theme}`, async () => {
      const look = { theme }
      await using nobody = await there.open(look)
      await using owner = await there.signedIn('owner', look)
      await using jane = await there.signedIn('jane', look)
      const people = { owner, jane }
      const problems: string[] = []
      for (const [name, { who, status, act, end }] of Object.entries(SCENES)) {
        const visitor = who === undefined ? nobody : people[who]
        assert.equal(await act(visitor), status, name)
        problems.push(...(await problemsIn(visitor, name, theme)))
        await end?.(visitor)
      }
      assert.deepEqual(problems, [])
    })
  }

  test('what is seen while ZMS is away is sound, and looks as it did', async () => {
    await using light = await there.signedIn('owner')
    await using dark = await there.signedIn('owner', { theme: 'dark' })
    {
      using _ = await suspend(there.servers.summary.pids.zms)
      assert.deepEqual(await Promise.all([light.go('/'), dark.go('/')]), [503, 503])
    }
    const problems = [await problemsIn(light, 'away', 'light'), await problemsIn(dark, 'away', 'dark')]
    assert.deepEqual(problems.flat(), [])
  })

  test('would not look as it did without a row, a button, a badge or a link', async (context) => {
    if (!sameFonts) return context.skip('these are other fonts than those of the pictures')
    await using visitor = await there.signedIn('owner')
    const { page } = visitor
    const path = '/domain/club/role/players'
    await visitor.go(path)
    assert.equal(await differenceFromGolden(page, 'role-light.webp'), undefined)
    for (const lost of ['tbody tr', 'td .danger', 'td button', '.badge', 'main > p a']) {
      await visitor.go(path)
      const last = page.locator(lost).last()
      await last.evaluate((element) => element.remove())
      const difference = await differenceFromGolden(page, 'role-light.webp')
      assert.match(difference ?? 'there is no difference', /looks otherwise|pixels higher$/, lost)
    }
  })

  test('fits on a telephone', async () => {
    await using visitor = await there.signedIn('owner', { width: 360, height: 740 })
    const wide: string[] = []
    for (const [name, path] of SIGHTS) {
      await visitor.go(pathOf(path))
      await unfold(visitor.page)
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
