import type { EcdsaEncoding, Signer } from '../crypto/signing.ts'

/**
 * Signs a JSON text as a JSON web signature in the flattened JSON form (RFC 7515, 7.2.2). The key id stands both protected
 * and in the open: the RFC wants it in one place, but readers of signed domains and policies look in the other. In DER
 * encoding the algorithm is ES256 for every EC key, with SHA-256, which existing verifiers expect, too; in P1363 encoding
 * it is the one that the standard has for the key.
 */
export async function flattenedJws(signer: Signer, json: string, encoding: EcdsaEncoding): Promise<string> {
  const { keyId, kind, joseAlgorithm } = signer
  const legacyAlgorithm = kind.family === 'rsa' ? 'RS256' : 'ES256'
  const alg = encoding === 'der' ? legacyAlgorithm : joseAlgorithm
  const header = JSON.stringify({ kid: keyId })
  const protectedHeader = base64url(JSON.stringify({ kid: keyId, alg }))
  const payload = base64url(json)
  const input = `${protectedHeader}.${payload}`
  const signature = await (encoding === 'der' ? signer.sign(input) : signer.signJose(input, 'p1363'))
  return `{"payload":"${payload}","protected":"${protectedHeader}","header":${header},"signature":"${signature.toString('base64url')}"}`
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url')
