import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { emailValidator, externalMemberValidators } from '#zms/service/external-member-validators.ts'

describe('the validator of e-mail addresses', () => {
  const any = emailValidator(new Set())
  const good = ['joe@example.com', 'a.b-c_d%e+f@mail.example.co', 'JOE@EXAMPLE.COM', '1@2.xy', 'joe@ex-ample.com']
  for (const address of good) {
    test(`admits ${address}`, () => assert.equal(any.validateMember('sports', address), true))
  }

  const bad: [string, string][] = [
    ['no at sign', 'joe.example.com'],
    ['nothing before it', '@example.com'],
    ['nothing behind it', 'joe@'],
    ['two at signs', 'joe@example@example.com'],
    ['a host without a dot', 'joe@localhost'],
    ['a top level domain of one letter', 'joe@example.c'],
    ['a numeric top level domain', 'joe@10.0.0.1'],
    ['a blank', 'joe smith@example.com'],
    ['a line break at the end', 'joe@example.com\n'],
    ['another address behind a comma', 'joe@example.com,eve@example.com'],
    ['a wildcard', '*@example.com'],
    ['other letters', 'jöe@example.com'],
    ['nothing', ''],
  ]
  for (const [title, address] of bad) {
    test(`refuses ${title}`, () => assert.equal(any.validateMember('sports', address), false))
  }

  test('admits the domains it is given only, in any letter case, without those below', () => {
    const some = emailValidator(new Set(['Example.com', 'example.org']))
    const admitted = (address: string) => some.validateMember('sports', address)
    assert.equal(admitted('joe@example.com'), true)
    assert.equal(admitted('joe@EXAMPLE.org'), true)
    assert.equal(admitted('joe@example.net'), false)
    assert.equal(admitted('joe@mail.example.com'), false)
    assert.equal(admitted('joe@notexample.com'), false)
  })

  test('decides about long texts in time that grows with them', () => {
    assert.equal(any.validateMember('sports', `a@${'a.'.repeat(50_000)}1`), false)
    assert.equal(any.validateMember('sports', 'a'.repeat(100_000)), false)
  })
})

describe('validators by name', () => {
  const validators = externalMemberValidators(new Set(['example.com']))

  test('the name that existing databases hold is that of the e-mail validator', () => {
    const validator = validators.get('com.yahoo.athenz.auth.impl.ExternalEmailMemberValidator')
    assert.equal(validator?.validateMember('sports', 'joe@example.com'), true)
    assert.equal(validator?.validateMember('sports', 'joe@example.org'), false)
  })

  test('other names have none', () => {
    for (const name of ['', 'ExternalEmailMemberValidator', './external-member-validators.ts', 'constructor']) {
      assert.equal(validators.get(name), undefined)
    }
  })
})
