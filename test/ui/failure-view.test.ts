import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AthenzClientError } from '#client/client-error.ts'
import { failureOf } from '#ui/failure-view.ts'

const refused = { principal: 'user.joe', denied: undefined, requestId: 'r' }

test('a quota that is used up is told as one: no pause would help', () => {
  const error = new AthenzClientError('role member quota exceeded - limit: 100 actual: 101', {
    kind: 'status',
    status: 429,
  })
  const { status, text, retryAfterSeconds } = failureOf(error, refused)
  assert.deepEqual([status, retryAfterSeconds], [429, undefined])
  assert.match(String(text), /^ZMS says: role member quota exceeded - limit: 100 actual: 101\./)
})

test('too many requests are told with the pause that ZMS asks for', () => {
  const error = new AthenzClientError('Too many requests', { kind: 'status', status: 429, retryAfterSeconds: 3 })
  const { status, text, retryAfterSeconds } = failureOf(error, refused)
  assert.deepEqual([status, retryAfterSeconds], [429, 3])
  assert.equal(String(text), 'ZMS asks for a pause. Try again in 3 s.')
})
