import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  entityResourceName,
  groupResourceName,
  lastPart,
  localName,
  parentDomain,
  policyResourceName,
  resourceDomain,
  roleResourceName,
  serviceFullName,
  splitResourceName,
} from '#core/names/resource-name.ts'

test('full names consist of domain, type and local name', () => {
  assert.equal(roleResourceName('sports.api', 'readers'), 'sports.api:role.readers')
  assert.equal(groupResourceName('sports', 'dev.ops'), 'sports:group.dev.ops')
  assert.equal(policyResourceName('sports', 'admin'), 'sports:policy.admin')
  assert.equal(entityResourceName('sports', 'e'), 'sports:entity.e')
  assert.equal(serviceFullName('sports.api', 'web'), 'sports.api.web')
})

describe('splitResourceName', () => {
  test('takes a full name apart', () => {
    assert.deepEqual(splitResourceName('role', 'sports.api:role.a.b'), { domain: 'sports.api', name: 'a.b' })
    assert.deepEqual(splitResourceName('group', 'sports:group.g'), { domain: 'sports', name: 'g' })
  })

  test('keeps what follows the first separator', () => {
    assert.deepEqual(splitResourceName('role', 'a:role.b:role.c'), { domain: 'a', name: 'b:role.c' })
  })

  test('knows no other form', () => {
    for (const text of [
      '',
      'readers',
      ':role.readers',
      'sports:role.',
      'sports:group.g',
      'a:b:role.c',
      'sports.role.r',
    ]) {
      assert.equal(splitResourceName('role', text), undefined, text)
    }
  })
})

describe('localName', () => {
  test('reads local and full names alike', () => {
    assert.equal(localName('role', 'sports', 'readers'), 'readers')
    assert.equal(localName('role', 'sports', 'sports:role.readers'), 'readers')
  })

  test('refuses the full name of something else', () => {
    for (const text of [
      'news:role.readers',
      'sports:group.readers',
      'sports:role.',
      'sports:readers',
      ':role.readers',
    ]) {
      assert.equal(localName('role', 'sports', text), undefined, text)
    }
  })
})

test('the domain of a resource stands before the first colon', () => {
  assert.equal(resourceDomain('sports.api:table:x'), 'sports.api')
  for (const text of ['', 'plain', ':x']) assert.equal(resourceDomain(text), undefined, text)
})

test('domains are split at the last dot', () => {
  assert.equal(parentDomain('a.b.c'), 'a.b')
  assert.equal(parentDomain('a'), undefined)
  assert.equal(lastPart('a.b.c'), 'c')
  assert.equal(lastPart('a'), 'a')
})
