import type { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { canonicalName, parseName } from './distinguished-name.ts'

const File = z.object({
  'default-issuer-identity': z.string().optional(),
  'issuer-identities': z
    .array(z.object({ 'issuer-cert-dn': z.array(z.string()), 'issuer-identity': z.string() }))
    .default([]),
})

/** Which identity issuer stands behind the certificates of a certificate issuer. */
export interface IdentityIssuers {
  /** Identity issuer of a certificate; undefined when none is configured for its issuer and there is no default. */
  identityOf(certificate: X509Certificate): string | undefined
}

/** No file: no certificate has an identity issuer. */
export const NO_IDENTITY_ISSUERS: IdentityIssuers = { identityOf: () => undefined }

/**
 * Reads `{"default-issuer-identity", "issuer-identities": [{"issuer-cert-dn": [name…], "issuer-identity"}]}`. Names are
 * compared regardless of the order of their attributes. Throws an Error that names the file and what is wrong with it.
 */
export async function readIdentityIssuers(file: string): Promise<IdentityIssuers> {
  const text = await readFile(file, 'utf8')
  let content: z.infer<typeof File>
  try {
    content = File.parse(JSON.parse(text))
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message
    throw new Error(`${file}: not a map of identity issuers: ${reason}`, { cause })
  }
  const identities = new Map<string, string>()
  for (const { 'issuer-cert-dn': names, 'issuer-identity': identity } of content['issuer-identities']) {
    for (const name of names) {
      const canonical = parseName(name)
      if (canonical === undefined) throw new Error(`${file}: "${name}" is not a distinguished name`)
      const other = identities.get(canonical)
      if (other !== undefined && other !== identity)
        throw new Error(`${file}: "${name}" is both ${other} and ${identity}`)
      identities.set(canonical, identity)
    }
  }
  const fallback = content['default-issuer-identity']
  return { identityOf: (certificate) => identities.get(canonicalIssuer(certificate)) ?? fallback }
}

const canonicalIssuer = (certificate: X509Certificate): string =>
  canonicalName({ ...certificate.toLegacyObject().issuer })
