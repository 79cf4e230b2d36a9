import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { ConfigError } from '../config/config-error.ts'
import { ServiceError } from '../error/service-error.ts'

const SECRET_MIN_LENGTH = 32
const IV_BYTES = 16
const TAG_BYTES = 16

/** The only algorithm, under the name configurations give it (`svc_creds_encryption_algorithm`). */
export const SECRET_BOX_ALGORITHM = 'AES/GCM/NoPadding'

/** Encrypts short texts, such as service credentials, for storage. */
export interface SecretBox {
  /** base64 of a random 16-byte IV, the cipher text and its 16-byte tag; different at each call. */
  encrypt(text: string): string
  /** The text. Throws `internal` when the value is not whole, was altered, or belongs to another secret. */
  decrypt(encrypted: string): string
}

/**
 * A box whose AES-256-GCM key is the SHA-256 of a configured secret, the form in which existing databases hold service
 * credentials. Throws a ConfigError for a secret under 32 characters or another algorithm; `property` is what the error
 * calls the setting.
 */
export function createSecretBox(secret: string, property: string, algorithm: string = SECRET_BOX_ALGORITHM): SecretBox {
  if (algorithm !== SECRET_BOX_ALGORITHM) {
    throw new ConfigError([`${property}: the algorithm "${algorithm}" is not supported (use ${SECRET_BOX_ALGORITHM})`])
  }
  if (secret.length < SECRET_MIN_LENGTH) {
    throw new ConfigError([`${property}: the secret has ${secret.length} characters, fewer than ${SECRET_MIN_LENGTH}`])
  }
  const key = createHash('sha256').update(secret, 'utf8').digest()

  return {
    encrypt(text) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
      return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64')
    },

    decrypt(encrypted) {
      const bytes = Buffer.from(encrypted, 'base64')
      if (bytes.length < IV_BYTES + TAG_BYTES) throw unreadable('shorter than IV and tag')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
      try {
        return decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
      } catch (cause) {
        throw unreadable('altered, or encrypted with another secret', cause)
      }
    },
  }
}

function unreadable(detail: string, cause?: unknown): ServiceError {
  return new ServiceError('internal', 'stored credentials cannot be decrypted', { detail, cause })
}
