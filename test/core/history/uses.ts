import type { AuthUse } from '#core/history/auth-use.ts'

/** A use of a domain by a principal (full name). */
export const use = (uriDomain: string, principal: string, epochSeconds: number): AuthUse => {
  const dot = principal.lastIndexOf('.')
  return {
    uriDomain,
    principalDomain: principal.slice(0, dot),
    principalName: principal.slice(dot + 1),
    endpoint: `GET /zts/v1/domain/${uriDomain}/token`,
    epochSeconds,
  }
}
