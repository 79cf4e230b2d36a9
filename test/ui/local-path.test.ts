import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { localPath } from '#ui/local-path.ts'

describe('localPath', () => {
  for (const good of ['/', '/domain/sports', '/domain/a%2Fb?skip=x&y=%20', '/search?q=//x']) {
    it(`keeps ${good}`, () => assert.equal(localPath(good), good))
  }

  it('drops the fragment and resolves dots', () => {
    assert.equal(localPath('/a/../b#c'), '/b')
  })

  for (const bad of [
    undefined,
    '',
    'domain/sports',
    '//elsewhere.example/',
    '///elsewhere.example/',
    '/\\elsewhere.example',
    '\\\\elsewhere.example',
    '/\t/elsewhere.example',
    '/\n/elsewhere.example',
    '\t//elsewhere.example',
    'https://elsewhere.example/',
    'https:elsewhere.example',
    'javascript:alert(1)',
    'data:text/html,x',
    '/.//elsewhere.example',
    '/a/..//elsewhere.example',
    '/%0d%0aset-cookie:x\r\n',
    `/${'x'.repeat(3000)}`,
  ]) {
    it(`refuses ${JSON.stringify(bad)?.slice(0, 60)}`, () => assert.equal(localPath(bad), undefined))
  }
})
