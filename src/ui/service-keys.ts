import { createHash } from 'node:crypto'
import { keyKindText } from '#core/crypto/key-kind.ts'
import { loadPublicKey } from '#core/crypto/keys.ts'
import { decodeYBase64, encodeYBase64 } from '#core/crypto/ybase64.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { FormProblem } from './page.ts'

/** A registered key as people see it. */
export interface KeyDescription {
  /** E.g. `RSA 2048` or `P-256`. */
  readonly kind: string
  /** `SHA256:` and the digest of the public key in DER (SubjectPublicKeyInfo), in base64. */
  readonly fingerprint: string
}

/** What a key is that a service has registered; undefined for what is no key or one that is not accepted any more. */
export function describeKey(registered: string): KeyDescription | undefined {
  try {
    const key = loadPublicKey(registered)
    const kind = keyKindText(key)
    if (kind === undefined) return undefined
    const digest = createHash('sha256')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest('base64')
    return { kind, fingerprint: `SHA256:${digest.replace(/=+$/, '')}` }
  } catch {
    return undefined
  }
}

/** A registered key as PEM; undefined for what is none. */
export function registeredPem(registered: string): string | undefined {
  try {
    return `${decodeYBase64(registered).toString('latin1').trim()}\n`
  } catch {
    return undefined
  }
}

/** The text under which a public key in PEM is registered. Throws FormProblem with the reason why it cannot be. */
export function keyToRegister(pem: string, field: string): string {
  const text = `${pem.replaceAll('\r\n', '\n').trim()}\n`
  if (text.includes('PRIVATE KEY')) {
    throw new FormProblem(
      'This is a private key. It must not leave its machine: make a new one, and register its public key.',
      field,
    )
  }
  if (!text.includes('-----BEGIN ')) {
    throw new FormProblem('This is no key in PEM form, which begins with a line -----BEGIN PUBLIC KEY-----.', field)
  }
  try {
    loadPublicKey(text)
  } catch (error) {
    if (error instanceof ServiceError) throw new FormProblem(`This key cannot be registered: ${error.message}.`, field)
    throw error
  }
  return encodeYBase64(text)
}
