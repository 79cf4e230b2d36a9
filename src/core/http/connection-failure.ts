/** Codes with which OpenSSL and Node.js say that a certificate is not accepted, or that nobody speaks TLS there. */
const TLS_CODE = /CERT|SIGNATURE|SELF_SIGNED|^ERR_(?:TLS|SSL|OSSL)_/

/** Code of a system call or of the HTTP library; that of the first when several addresses were tried. */
export function codeOf(cause: unknown): string | undefined {
  if (cause instanceof AggregateError && cause.errors.length > 0) return codeOf(cause.errors[0])
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** Whether a request failed because the server is not trusted, rather than away. */
export const isDistrust = (cause: unknown): boolean => TLS_CODE.test(codeOf(cause) ?? '')
