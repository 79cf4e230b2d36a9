import type { CertificateRequestOptions } from '#client/certificate-requests.ts'
import { type FlagValues, text, toggle } from './flags.ts'

/** Flags that say what is in a certificate request. */
export const REQUEST_FLAGS = {
  'dns-domain': text('end of the DNS names in the certificate'),
  'subj-c': text('country of the subject', 'US'),
  'subj-o': text('organization of the subject', 'Oath Inc.'),
  'subj-ou': text('organizational unit of the subject', 'Athenz'),
  ip: text('IP address in the certificate'),
  spiffe: toggle('a SPIFFE URI in the certificate', true),
  'spiffe-trust-domain': text('trust domain for the longer form of that URI'),
  csr: toggle('print the certificate request and end'),
}

/** What the flags say of a request, for the client library. */
export const requestOptions = (
  given: FlagValues<typeof REQUEST_FLAGS>,
): Pick<CertificateRequestOptions, 'dnsDomain' | 'subject' | 'spiffe' | 'spiffeTrustDomain' | 'ip'> => ({
  dnsDomain: given['dns-domain'],
  subject: { country: given['subj-c'], organization: given['subj-o'], unit: given['subj-ou'] },
  spiffe: given.spiffe,
  ...(given['spiffe-trust-domain'] !== '' && { spiffeTrustDomain: given['spiffe-trust-domain'] }),
  ...(given.ip !== '' && { ip: given.ip }),
})
