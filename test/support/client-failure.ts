import assert from 'node:assert/strict'
import { AthenzClientError } from '#client/client-error.ts'

/** Checks members of an error of a client, for `assert.rejects` and by hand. */
export const failedWith =
  (expected: Readonly<Record<string, unknown>>) =>
  (error: unknown): true => {
    assert.ok(error instanceof AthenzClientError, String(error))
    const seen = Object.keys(expected).map((key) => [key, Reflect.get(error, key)] as const)
    assert.deepEqual(Object.fromEntries(seen), expected)
    return true
  }
