import assert from 'node:assert/strict'
import { AthenzClientError } from '#client/client-error.ts'

/** Checks members of an error of a client, for `assert.rejects` and by hand. */
export const failedWith =
  (expected: Readonly<Record<string, unknown>>) =>
  (error: unknown): true => {
    assert.ok(error instanceof AthenzClientError, String(error))
    const { name, message } = error
    const seen: Readonly<Record<string, unknown>> = { ...error, name, message }
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, seen[key]])), expected)
    return true
  }
