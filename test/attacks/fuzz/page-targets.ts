import { ok as assertOk, deepStrictEqual, strictEqual } from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSigner } from '#core/crypto/signing.ts'
import { signPrincipalToken } from '#core/token/sign-principal-token.ts'
import { Fields, SECRET_FIELDS } from '#ui/fields.ts'
import { localPath } from '#ui/local-path.ts'
import { noticeCookie, readNotice } from '#ui/notice-cookie.ts'
import { PageIndex } from '#ui/page-index.ts'
import { PAGES } from '#ui/pages.ts'
import { Sessions } from '#ui/sessions.ts'
import { changedSettings, type Setting } from '#ui/settings-form.ts'
import { newSignInLink, redeemSignInLink } from '#ui/sign-in-link.ts'
import type { FuzzTarget } from './fuzz-target.ts'

const NOW_SECONDS = 1_800_000_000
const NOW_MILLIS = NOW_SECONDS * 1000
const SERVICE = 'sys.auth.ui-server'
const ORIGIN = 'https://page.example'
const PATH_MAX_LENGTH = 2000
const text = (input: Buffer): string => input.toString('utf8')
const never = (): boolean => false

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const token = await signPrincipalToken(
  {
    version: 'U1',
    domain: 'user',
    name: 'joe',
    issueTimeSeconds: NOW_SECONDS,
    expiryTimeSeconds: NOW_SECONDS + 3600,
    authorizedServices: [SERVICE],
  },
  createSigner(newKey(), '0'),
)
const key = newKey()
const sessions = new Sessions({
  service: SERVICE,
  signer: createSigner(key, '0'),
  key,
  longestMillis: 3_600_000,
  clock: () => NOW_MILLIS,
})
const session = sessions.of(token)
assertOk(session)
const pairOf = (cookie: string): string => cookie.slice(0, cookie.indexOf(';'))
const sessionPair = pairOf(sessions.cookie(session))
const undo = { to: '/domain/sports/roles', action: 'add', fields: { member: 'user.joe' } }
const noticePair = pairOf(noticeCookie({ notice: 'Done “so”.', undo }))

const isLocal = (path: string): void => {
  strictEqual(new URL(path, ORIGIN).origin, ORIGIN)
  assertOk(/^\/(?!\/)[^\\]*$/.test(path) && !/\p{Cc}/u.test(path), path)
}

/** Header `Cookie`: only what the page has sealed is a session, and what a notice takes back is on this page. */
const cookies: FuzzTarget = {
  name: 'page-cookies',
  seeds: [sessionPair, noticePair, `other=1; ${noticePair}; ${sessionPair}`].map((each) => Buffer.from(each)),
  words: [
    '__Host-athenz-session=',
    '__Host-athenz-notice=',
    ';',
    '; ',
    '=',
    '%',
    '%00',
    '%zz',
    '%2f',
    token,
    'eyJ0ZXh0IjoiIn0',
  ],
  isRefusal: never,
  read: (input) => {
    const header = input.toString('latin1')
    const found = sessions.read(header)
    if (found !== undefined) deepStrictEqual([found.principal, found.token], ['user.joe', token])
    const notice = readNotice(header)
    if (notice?.undo) isLocal(notice.undo.to)
  },
}

const SETTINGS: readonly Setting[] = [
  { name: 'text', label: 'Text', kind: 'text' },
  { name: 'days', label: 'Days', kind: 'number' },
  { name: 'on', label: 'On', kind: 'switch' },
  { name: 'list', label: 'List', kind: 'lines' },
]

/** Bodies of forms: whatever is in them, what is read of them has the right kind, and nothing secret is shown again. */
const forms: FuzzTarget = {
  name: 'page-forms',
  seeds: [
    `csrf=${session.csrfToken}&action=add&member=user.joe&member=user.jane&expiry=2027-01-01`,
    'text=a&was.text=b&days=3&was.days=&list=x%3D1%0D%0Ay%3D2&was.list=x%3D1&was.on=on',
    'user=joe&password=secret&next=%2Fdue%3Fx%3D1',
  ].map((each) => Buffer.from(each)),
  words: [
    '&',
    '=',
    '+',
    '%',
    '%00',
    '%0D%0A',
    '%zz',
    '%ff',
    '__proto__=',
    'was.',
    'days=1e9',
    'list=%3D',
    'password=',
    '\u2028',
  ],
  isRefusal: (error) => error instanceof Error && error.name === 'FormProblem',
  read: (input) => {
    const form = Fields.parse(text(input))
    for (const name of SECRET_FIELDS) strictEqual(form.withoutSecrets().exact(name) || undefined, undefined)
    const { values } = changedSettings(form, SETTINGS)
    const kinds: Readonly<Record<string, string>> = { text: 'string', days: 'number', on: 'boolean', list: 'string' }
    for (const [name, value] of Object.entries(values)) strictEqual(typeof value, kinds[name], name)
    strictEqual(Reflect.get({}, 'polluted'), undefined)
  },
}

/** Where somebody goes after signing in: on this page, whatever the link says. */
const paths: FuzzTarget = {
  name: 'page-paths',
  seeds: ['/domain/sports/role/readers?filter=user.joe', '/due?x=1', '/./..//x', '/a#b'].map((each) =>
    Buffer.from(each),
  ),
  words: [
    '/',
    '//',
    '\\',
    '..',
    '%2f',
    '%5c',
    '@',
    ':',
    'https:',
    'javascript:',
    '\t',
    '\r\n',
    '?',
    '#',
    '\u2028',
    '\uff0f',
  ],
  isRefusal: never,
  read: (input) => {
    const found = localPath(text(input))
    if (found !== undefined) {
      isLocal(found)
      // Signs that are written out may make it longer than a path may be.
      if (found.length <= PATH_MAX_LENGTH) strictEqual(localPath(found), found)
    }
  },
}

const index = new PageIndex(PAGES)
/** Addresses of pages: no page gets a name that is another one in another reading. */
const addresses: FuzzTarget = {
  name: 'page-addresses',
  seeds: PAGES.map(({ path }) => Buffer.from(path.replaceAll(/:\w+/g, 'sports'))),
  words: ['/', '//', '..', '.', '%2f', '%2F', '%00', '%zz', '%c3%28', '__proto__', ':', '?', '#'],
  isRefusal: never,
  read: (input) => {
    const found = index.find(input.toString('latin1'))
    for (const value of Object.values(found?.params ?? {})) assertOk(typeof value === 'string' && value !== '')
  },
}

const { code, link } = newSignInLink(token, NOW_MILLIS + 60_000)
/** The code of a link that signs in: good as it is, once. */
const signInLink: FuzzTarget = {
  name: 'sign-in-link',
  seeds: [Buffer.from(`code=${code}`), Buffer.from(`code=${'A'.repeat(43)}&code=${code}`)],
  words: ['code=', '&', '=', '%00', '+', code.slice(0, 20)],
  isRefusal: never,
  read: async (input) => {
    const given = Fields.parse(text(input)).text('code') ?? ''
    const folder = mkdtempSync(join(tmpdir(), 'athenz-fuzz-'))
    try {
      const file = join(folder, 'link.json')
      writeFileSync(file, JSON.stringify(link))
      strictEqual(await redeemSignInLink(file, given, NOW_MILLIS), given === code ? token : undefined)
      if (given === code) strictEqual(await redeemSignInLink(file, given, NOW_MILLIS), undefined)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

/** Readers of what browsers send to the web page. */
export const PAGE_TARGETS: readonly FuzzTarget[] = [cookies, forms, paths, addresses, signInLink]
