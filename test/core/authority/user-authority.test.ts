import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { AuthenticationResult, Rejection } from '#core/authority/authority.ts'
import { UserAuthority } from '#core/authority/user-authority.ts'
import { basic, contextOf } from './support.ts'

test('is an authority of users that only get tokens', () => {
  const { id, credentialSource, domain, header, challenge, allowAuthorization } = new UserAuthority()
  assert.deepEqual(
    [id, credentialSource, domain, header, challenge, allowAuthorization],
    ['Auth-UNIX', 'header', 'user', 'Authorization', 'Basic realm="athenz"', false],
  )
})

const start = (profile: string) =>
  new UserAuthority().initialize(contextOf({ 'athenz.auth.user.pam_service_name': profile }))

describe('start', () => {
  for (const profile of ['../login', '/etc/pam.d/login', 'Login', '-x', 'a b']) {
    test(`fails on the profile ${profile}`, () =>
      assert.rejects(start(profile), {
        message: `athenz.auth.user.pam_service_name: "${profile}" is not the name of a PAM profile (a file in /etc/pam.d)`,
      }))
  }

  test('fails on a profile that does not exist', () =>
    assert.rejects(start('nonexistent-profile'), {
      message: 'athenz.auth.user.pam_service_name: there is no PAM profile /etc/pam.d/nonexistent-profile',
    }))

  test('fails with what is to be installed when PAM cannot be used', () =>
    assert.rejects(new UserAuthority({ program: '/nonexistent/worker.js' }).initialize(contextOf()), {
      message:
        'PAM cannot be used with athenz.auth.user.pam_service_name=login: exit status 1; install the system package ' +
        'libpam0g and the npm package koffi, or take UserAuthority out of the list of authorities',
    }))
})

const refusal = (name: string, reason: string) => ({
  rejected: `UserAuthority:authenticate: login of ${name} refused: ${reason}`,
})

/** Accounts can only be made, and the shadow file only be read, by root on a machine with PAM. */
function reasonToSkip(): string | false {
  if (process.getuid?.() !== 0) return 'needs root, to make Unix accounts'
  try {
    execFileSync('useradd', ['--help'], { stdio: 'ignore' })
    readFileSync('/etc/pam.d/login')
    return false
  } catch {
    return 'needs useradd and the PAM profile login'
  }
}

describe('login with a Unix account', { skip: reasonToSkip() }, () => {
  const suffix = randomBytes(4).toString('hex')
  const accounts = {
    good: { name: `athz-a-${suffix}`, password: 'a:b c:ü' },
    locked: { name: `athz-b-${suffix}`, password: 'secret-b' },
    expired: { name: `athz-c-${suffix}`, password: 'secret-c' },
    stale: { name: `athz-d-${suffix}`, password: 'secret-d' },
    empty: { name: `athz-e-${suffix}`, password: '' },
  }
  /** How long answers were held back, instead of holding them back. */
  const waits: number[] = []
  const context = contextOf()
  const authority = new UserAuthority({ wait: async (millis) => waits.push(millis) })

  before(async () => {
    for (const { name, password } of Object.values(accounts)) {
      execFileSync('useradd', ['-M', '-s', '/bin/sh', name], { stdio: 'ignore' })
      if (password !== '')
        execFileSync('chpasswd', { input: `${name}:${password}\n`, stdio: ['pipe', 'ignore', 'ignore'] })
    }
    execFileSync('usermod', ['-L', accounts.locked.name], { stdio: 'ignore' })
    execFileSync('usermod', ['-e', '2000-01-01', accounts.expired.name], { stdio: 'ignore' })
    execFileSync('chage', ['-d', '0', accounts.stale.name], { stdio: 'ignore' })
    execFileSync('passwd', ['-d', accounts.empty.name], { stdio: 'ignore' })
    await authority.initialize(context)
  })
  after(() => {
    authority.close()
    for (const { name } of Object.values(accounts)) {
      try {
        execFileSync('userdel', ['-f', name], { stdio: 'ignore' })
      } catch {
        // It was not made.
      }
    }
  })

  const login = (name: string, password: string): Promise<AuthenticationResult> =>
    authority.authenticateHeader(basic(`${name}:${password}`), '10.1.2.3')
  const { good, locked, expired, stale, empty } = accounts

  test('gives a user, without the password', async () => {
    const principal = await login(good.name, good.password)
    assert.deepEqual(principal, {
      domain: 'user',
      name: good.name,
      fullName: `user.${good.name}`,
      authority,
      unsignedCredentials: good.name,
      issueTimeSeconds: 0,
    })
  })

  // How distributions stack their account modules decides which of the two an expired account is.
  const cases: readonly [behaviour: string, name: string, password: string, reason: RegExp | string][] = [
    ['a wrong password', good.name, 'wrong', 'Authentication failure'],
    ['a part of the password', good.name, 'a', 'Authentication failure'],
    ['an unknown user', `athz-x-${suffix}`, 'secret', 'Authentication failure'],
    ['a locked account', locked.name, locked.password, 'Authentication failure'],
    ['an expired account', expired.name, expired.password, /User account has expired|Authentication failure/],
    [
      'an account that needs a new password',
      stale.name,
      stale.password,
      'Authentication token is no longer valid; new one required',
    ],
    ['any password where the account has none', empty.name, 'x', 'Authentication failure'],
    ['a system account', 'daemon', 'x', 'Authentication failure'],
  ]
  for (const [behaviour, name, password, reason] of cases) {
    test(`refuses ${behaviour}`, async () => {
      const { rejected = '' } = (await login(name, password)) as Partial<Rejection>
      const prefix = refusal(name, '').rejected
      assert.ok(rejected.startsWith(prefix))
      const words = rejected.slice(prefix.length)
      if (typeof reason === 'string') assert.equal(words, reason)
      else assert.match(words, reason)
    })
  }

  test('holds refusals back, and those of unknown users for as long', async () => {
    waits.length = 0
    await login(good.name, 'wrong')
    await login(`athz-x-${suffix}`, 'wrong')
    assert.equal(waits.length, 2)
    assert.ok(
      waits.every((millis) => millis > 1000),
      String(waits),
    )
  })

  test('serves ten at the same time, each with its own answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => login(good.name, index % 2 === 0 ? good.password : 'wrong')),
    )
    assert.deepEqual(
      answers.map((answer) => answer !== null && 'fullName' in answer),
      [true, false, true, false, true, false, true, false, true, false],
    )
  })

  for (const [behaviour, credential, reason] of [
    ['a NUL in the name', basic(`${good.name}\0x:${good.password}`), 'the user name is not a simple name'],
    ['a NUL in the password', basic(`${good.name}:${good.password}\0x`), 'the password has a NUL character'],
    ['a name of 10 kB', basic(`${'a'.repeat(10_240)}:x`), 'credentials are too long'],
    ['an empty password', basic(`${empty.name}:`), 'the password is empty'],
    ['another scheme', 'Negotiate abc', "credentials do not start with 'Basic '"],
  ] as const) {
    test(`refuses ${behaviour} before PAM sees it`, async () => {
      assert.deepEqual(await authority.authenticateHeader(credential, '10.1.2.3'), {
        rejected: `UserAuthority:authenticate: ${reason}`,
      })
    })
  }

  test('writes no password into the log', () => assert.deepEqual(context.lines, []))

  test('refuses everything when it is closed', async () => {
    authority.close()
    assert.deepEqual(await login(good.name, good.password), refusal(good.name, 'the server is stopping'))
  })
})
