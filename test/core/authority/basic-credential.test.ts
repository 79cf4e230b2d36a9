import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseBasicCredential } from '#core/authority/basic-credential.ts'
import { basic } from './support.ts'

describe('a Basic credential', () => {
  const good: readonly [behaviour: string, credential: string, name: string, password: string][] = [
    ['has name and password', basic('joe:secret'), 'joe', 'secret'],
    ['may have colons in the password', basic('joe:a:b:'), 'joe', 'a:b:'],
    ['may have other letters than ASCII in the password', basic('joe:päß 🔑'), 'joe', 'päß 🔑'],
    ['may lack the padding', `Basic ${basic('joe:secret').slice(6).replace(/=+$/, '')}`, 'joe', 'secret'],
    ['keeps the letter case of the name', basic('Joe_1-x:secret'), 'Joe_1-x', 'secret'],
    ['may have the longest password', basic(`joe:${'x'.repeat(511)}`), 'joe', 'x'.repeat(511)],
  ]
  for (const [behaviour, credential, name, password] of good) {
    test(behaviour, () => assert.deepEqual(parseBasicCredential(credential), { name, password }))
  }

  const bad: readonly [behaviour: string, credential: string, reason: string][] = [
    ['is not of another scheme', 'Bearer abc', "credentials do not start with 'Basic '"],
    [
      'is not of a scheme in other letters',
      basic('joe:x').replace('Basic', 'basic'),
      "credentials do not start with 'Basic '",
    ],
    ['is not of the scheme alone', 'Basic', "credentials do not start with 'Basic '"],
    ['has one blank behind the scheme', basic('joe:x').replace(' ', '  '), 'credentials are not base64 of UTF-8 text'],
    ['is not empty', 'Basic ', 'credentials are not base64 of UTF-8 text'],
    ['is base64', 'Basic joe:secret', 'credentials are not base64 of UTF-8 text'],
    ['has no padding inside', 'Basic am9l=Om==', 'credentials are not base64 of UTF-8 text'],
    ['is UTF-8', basic(Buffer.from('joe:p\xe4ss', 'latin1')), 'credentials are not base64 of UTF-8 text'],
    ['has a colon', basic('joe'), 'credentials have no colon between name and password'],
    ['has a name', basic(':secret'), 'the user name is not a simple name'],
    ['has a password', basic('joe:'), 'the password is empty'],
    ['has no period in the name', basic('joe.smith:x'), 'the user name is not a simple name'],
    ['has no NUL in the name', basic('joe\0root:x'), 'the user name is not a simple name'],
    ['has no line feed in the name', basic('joe\n:x'), 'the user name is not a simple name'],
    ['has no path as name', basic('../joe:x'), 'the user name is not a simple name'],
    ['has no option as name', basic('-joe:x'), 'the user name is not a simple name'],
    ['has no field of a token in the name', basic('joe;n=admin:x'), 'the user name is not a simple name'],
    ['has no other letters than ASCII in the name', basic('jo\u212ae:x'), 'the user name is not a simple name'],
    ['has no NUL in the password', basic('joe:secret\0x'), 'the password has a NUL character'],
    ['has a short name', basic(`${'j'.repeat(257)}:x`), 'the user name is too long'],
    ['has a short password', basic(`joe:${'x'.repeat(512)}`), 'the password is too long'],
    ['has a password that is short in bytes', basic(`joe:${'ü'.repeat(256)}`), 'the password is too long'],
    ['is short as a whole', basic(`${'j'.repeat(10_240)}:x`), 'credentials are too long'],
  ]
  for (const [behaviour, credential, reason] of bad) {
    test(behaviour, () => assert.equal(parseBasicCredential(credential), reason))
  }
})
