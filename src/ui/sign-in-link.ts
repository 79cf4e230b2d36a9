import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile, unlink } from 'node:fs/promises'
import { z } from 'zod'

/** A sign-in that waits for the link with its code. */
const SignInLink = z.object({
  /** SHA-256 of the code, in hexadecimal digits: who reads the file does not learn the link. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** Epoch milliseconds. */
  endMillis: z.int(),
  /** User token that the link signs in with. */
  token: z.string(),
})
export type SignInLink = z.infer<typeof SignInLink>

const CODE_BYTES = 32

/** A new code for a link, and what is kept in the file until somebody comes with it. */
export function newSignInLink(token: string, endMillis: number): { code: string; link: SignInLink } {
  const code = randomBytes(CODE_BYTES).toString('base64url')
  return { code, link: { digest: digestOf(code).toString('hex'), endMillis, token } }
}

/** Where the link leads, below the address of the page. */
export const signInLinkPath = (code: string): string => `/sign-in/link?code=${code}`

/**
 * The token of the link in a file, for the right code, once: the file is gone afterwards. Undefined for a wrong or late
 * code, and when there is no file.
 */
export async function redeemSignInLink(file: string, code: string, nowMillis: number): Promise<string | undefined> {
  const link = await readLink(file)
  if (link === undefined || link.endMillis <= nowMillis) return undefined
  if (!timingSafeEqual(digestOf(code), Buffer.from(link.digest, 'hex'))) return undefined
  // Of several who come at once, only one can remove the file.
  return unlink(file).then(
    () => link.token,
    () => undefined,
  )
}

async function readLink(file: string): Promise<SignInLink | undefined> {
  try {
    return SignInLink.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return undefined
  }
}

const digestOf = (code: string): Buffer => createHash('sha256').update(code).digest()
