import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isMailbox } from '#core/notification/mailbox.ts'

describe('an address', () => {
  for (const good of ['joe@example.com', 'joe.doe+x@a', "o'hara@mail.example.com", 'jürgen@münchen.example']) {
    test(`may be ${good}`, () => assert.ok(isMailbox(good)))
  }
  const bad = [
    '',
    'joe',
    '@example.com',
    'joe@',
    'joe@-example.com',
    'joe@example.com.',
    'joe@a@b',
    'joe doe@example.com',
    'joe@example.com, eve@example.com',
    'joe@example.com\r\nBcc: eve@example.com',
    'Joe <joe@example.com>',
    'joe@[127.0.0.1]',
    '"joe"@example.com',
    `${'x'.repeat(250)}@a.example`,
  ]
  for (const text of bad) {
    test(`may not be ${JSON.stringify(text.slice(0, 50))}`, () => assert.ok(!isMailbox(text)))
  }
})
