import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { pemBlocks } from '#core/crypto/pem.ts'

const block = (label: string, body = 'YWJj') => `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----`

describe('pemBlocks', () => {
  it('gives the sections in order and ignores the text around them', () => {
    const text = `Certificate:\n  Data\n${block('CERTIFICATE')}\nremark\n${block('PUBLIC KEY')}`
    assert.deepEqual(pemBlocks(text), [
      { label: 'CERTIFICATE', text: `${block('CERTIFICATE')}\n` },
      { label: 'PUBLIC KEY', text: `${block('PUBLIC KEY')}\n` },
    ])
  })

  const withoutSection: [name: string, text: string][] = [
    ['no delimiter', 'YWJj'],
    ['no end', '-----BEGIN PUBLIC KEY-----\nYWJj'],
    ['an end with another label', '-----BEGIN PUBLIC KEY-----\nYWJj\n-----END PRIVATE KEY-----'],
    ['an unfinished label', '-----BEGIN PUBLIC KEY'],
    ['a label over several lines', block('PUBLIC\nKEY')],
    ['a label in lower case', block('public key')],
  ]
  for (const [name, text] of withoutSection) {
    it(`finds nothing where there is ${name}`, () => assert.deepEqual(pemBlocks(text), []))
  }

  it('goes on behind a section without its end', () => {
    const blocks = pemBlocks(`-----BEGIN PRIVATE KEY-----\nYWJj\n${block('PUBLIC KEY')}`)
    assert.deepEqual(
      blocks.map(({ label }) => label),
      ['PUBLIC KEY'],
    )
  })

  it('never throws', () => {
    const piece = fc.constantFrom('-----', 'BEGIN ', '-----BEGIN A-----', '-----END A-----', 'A', '\n', '--')
    fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => Array.isArray(pemBlocks(pieces.join('')))))
  })

  it('takes linear time for unfinished sections', () => {
    const started = performance.now()
    assert.deepEqual(pemBlocks('-----BEGIN A-----\n'.repeat(50_000)), [])
    assert.ok(performance.now() - started < 1000)
  })
})
