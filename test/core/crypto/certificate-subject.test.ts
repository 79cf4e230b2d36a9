import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subjectAttributes } from '#core/crypto/certificate-subject.ts'
import { TestCa } from '../authority/support.ts'

test('the attributes of a subject stand in their order, and an empty subject has none', async () => {
  const ca = await TestCa.create()
  const named = await ca.issue({
    subject: [
      { type: 'O', value: 'Athenz' },
      { type: 'CN', value: 'sports.api' },
    ],
  })
  assert.deepEqual(subjectAttributes(named.certificate), ['O=Athenz', 'CN=sports.api'])
  const unnamed = await ca.issue({ subject: [], names: [{ type: 'uri', value: 'spiffe://sports/sa/api' }] })
  assert.deepEqual(subjectAttributes(unnamed.certificate), [])
})
