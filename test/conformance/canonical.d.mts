import type { KeyObject } from 'node:crypto'

/** Whether a signature covers the domain data, or the policy contents when those are given. */
export function verifySignedDomain(
  signed: { domain?: object; contents?: object },
  key: KeyObject,
  signature: Uint8Array,
): boolean

/** Whether a signature covers the signed policy data of ZTS. */
export function verifySignedPolicyData(data: object, key: KeyObject, signature: Uint8Array): boolean
