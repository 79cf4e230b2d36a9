import type { X509Certificate } from 'node:crypto'
import { children, fromDer, isContext, oid, primitiveBytes } from './certificate-asn1.ts'

const SUBJECT_ALTERNATIVE_NAME = primitiveBytes(oid('2.5.29.17'))
/** Context tags of GeneralName, RFC 5280, 4.2.1.6. */
const EMAIL_TAG = 1
const URI_TAG = 6

/**
 * The URIs and e-mail addresses among the alternative names of a certificate. They are read from the DER: in the text that
 * Node makes of the extension, some kinds of names can contain what looks like another name. Undefined when the DER is not
 * what it should be.
 */
export function certificateAlternativeNames(
  certificate: X509Certificate,
): { readonly uris: readonly string[]; readonly emails: readonly string[] } | undefined {
  const uris: string[] = []
  const emails: string[] = []
  try {
    const wrapped = children(children(fromDer(certificate.raw))[0]).find((field) => isContext(field, 3))
    const extensions = wrapped === undefined ? [] : children(children(wrapped)[0])
    for (const extension of extensions) {
      const [id, ...content] = children(extension)
      if (!primitiveBytes(id).equals(SUBJECT_ALTERNATIVE_NAME)) continue
      for (const name of children(fromDer(primitiveBytes(content.at(-1))))) {
        if (isContext(name, URI_TAG)) uris.push(primitiveBytes(name).toString('latin1'))
        if (isContext(name, EMAIL_TAG)) emails.push(primitiveBytes(name).toString('latin1'))
      }
    }
  } catch {
    return undefined
  }
  return { uris, emails }
}
