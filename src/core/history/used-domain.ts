import { isName } from '../names/patterns.ts'

/** What follows a domain in paths that are about its tokens, roles, principals or policies. */
const USES = ['token', 'role/', 'principal/', 'signed_policy_data', 'policy/signed']
const DOMAIN = '/domain/'
const ACCESS = '/access/'

/**
 * The domain (lower case) that the target of a request is about, in the sense of the history of authentication: whose role
 * token, role, role certificate, policies or decision it asks for. Undefined for everything else, among it the management
 * of domains, and for tokens whose scope is in the body.
 */
export function usedDomain(target: string): string | undefined {
  const queryStart = target.indexOf('?')
  const path = queryStart < 0 ? target : target.slice(0, queryStart)
  const domain = domainInPath(path) ?? (queryStart < 0 ? undefined : domainInQuery(path, target.slice(queryStart + 1)))
  const name = domain ?? resourceDomain(path)
  return name !== undefined && isName('DomainName', name) ? name.toLowerCase() : undefined
}

function domainInPath(path: string): string | undefined {
  const start = path.indexOf(DOMAIN)
  if (start < 0) return undefined
  const nameStart = start + DOMAIN.length
  const nameEnd = path.indexOf('/', nameStart)
  if (nameEnd < 0 || !USES.some((use) => path.startsWith(use, nameEnd + 1))) return undefined
  return path.slice(nameStart, nameEnd)
}

/** The scope of a token, the domain that delegates or the resource of an access check, the role of a certificate. */
function domainInQuery(path: string, query: string): string | undefined {
  if (path.endsWith('/oauth2/token')) return beforeColon(new URLSearchParams(query).get('scope'))
  if (path.endsWith('/rolecert')) return beforeColon(new URLSearchParams(query).get('roleName'))
  if (!path.includes(ACCESS)) return undefined
  const parameters = new URLSearchParams(query)
  return parameters.get('domain') || beforeColon(parameters.get('resource'))
}

/** `/access/{action}/{domain}:{resource}` */
function resourceDomain(path: string): string | undefined {
  const start = path.indexOf(ACCESS)
  if (start < 0) return undefined
  const resourceStart = path.indexOf('/', start + ACCESS.length)
  return resourceStart < 0 ? undefined : beforeColon(path.slice(resourceStart + 1))
}

function beforeColon(text: string | null): string | undefined {
  const end = text?.indexOf(':') ?? -1
  return end > 0 ? text?.slice(0, end) : undefined
}
