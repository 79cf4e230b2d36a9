import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { viewOf } from '#zms/service/domain-views.ts'
import { emptyDomain } from '../store/suite/samples.ts'

suite('views of domains', () => {
  test('are made once, and anew for a copy of the domain', () => {
    const domain = emptyDomain('sports')
    const view = viewOf(domain)
    assert.equal(viewOf(domain), view)
    const copy = { ...domain, enabled: false }
    assert.notEqual(viewOf(copy), view)
    assert.equal(viewOf(copy).enabled, false)
    assert.equal(view.enabled, true)
    assert.deepEqual(Object.keys(domain), Object.keys(copy))
  })

  test('compile the policies once for each revision', () => {
    const domain = { ...emptyDomain('sports'), policiesRevision: 1 }
    const { policies } = viewOf(domain)
    assert.equal(viewOf(domain).policies, policies)
    domain.policiesRevision = 2
    assert.notEqual(viewOf(domain).policies, policies)
  })
})
