import type { X509Certificate } from 'node:crypto'

/**
 * The attributes of the subject of a certificate, written `CN=sports.api`, in their order. None when the subject is empty,
 * as SPIFFE has it: there Node gives no text at all, whatever its types say.
 */
export const subjectAttributes = ({ subject }: Pick<X509Certificate, 'subject'>): readonly string[] =>
  (subject as string | undefined)?.split('\n') ?? []
