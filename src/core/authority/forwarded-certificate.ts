import { X509Certificate } from 'node:crypto'

/** Longer than any certificate that a proxy forwards. */
const ENCODED_MAX_LENGTH = 32_768
/** Extended key usages of RFC 5280, 4.2.1.12: of TLS clients, and any. */
const CLIENT_USAGES = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0']

/**
 * Reads a certificate as proxies forward it: DER in base64, bare or between colons (RFC 9440, 2.1), or PEM, also with
 * percent signs, also with blanks for line ends. A reason as text when it is none or there are several.
 */
export function readForwardedCertificate(header: string): X509Certificate | string {
  if (header.length > ENCODED_MAX_LENGTH) return 'the certificate is too long'
  const text = header.includes('%') ? unescaped(header) : header
  const encoded = text
    ?.replace(/^:(.*):$/, '$1')
    .replace(/^\s*-----BEGIN CERTIFICATE-----/, '')
    .replace(/-----END CERTIFICATE-----\s*$/, '')
    .replaceAll(/\s/g, '')
  if (encoded === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return 'the header is not one certificate'
  try {
    return new X509Certificate(Buffer.from(encoded, 'base64'))
  } catch {
    return 'the header is not a certificate'
  }
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/**
 * Why a certificate is not one of a TLS client that one of the authorities has issued; undefined when it is. The validity
 * of the authorities is checked too; `nowMillis` is in epoch milliseconds.
 */
export function clientCertificateFailure(
  certificate: X509Certificate,
  authorities: readonly X509Certificate[],
  nowMillis: number,
): string | undefined {
  if (certificate.ca) return 'the certificate is that of an authority'
  const usages = certificate.keyUsage as readonly string[] | undefined
  if (usages !== undefined && !usages.some((usage) => CLIENT_USAGES.includes(usage))) {
    return 'the certificate is not for clients'
  }
  if (!isValidAt(certificate, nowMillis)) return 'the certificate has expired or is not valid yet'
  const issuer = authorities.find(
    (each) => each.ca && certificate.checkIssued(each) && certificate.verify(each.publicKey),
  )
  if (issuer === undefined) return 'the certificate is not trusted'
  return isValidAt(issuer, nowMillis) ? undefined : 'the authority of the certificate has expired or is not valid yet'
}

const isValidAt = ({ validFromDate, validToDate }: X509Certificate, millis: number): boolean =>
  validFromDate.getTime() <= millis && millis <= validToDate.getTime()
