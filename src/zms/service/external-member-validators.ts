import type { ExternalMemberValidator } from './member-rules.ts'

/** A simple form of e-mail addresses; which of them reach anybody is not for this server to say. */
const EMAIL = /^[\w.%+-]+@([A-Za-z0-9.-]+\.[A-Za-z]{2,})$/

/** Admits e-mail addresses of the given domains (in any letter case), or of all when none is given. */
export function emailValidator(domains: ReadonlySet<string>): ExternalMemberValidator {
  const admitted = new Set([...domains].map((domain) => domain.toLowerCase()))
  return {
    validateMember(_domain, member) {
      const domain = EMAIL.exec(member)?.[1]
      return domain !== undefined && (admitted.size === 0 || admitted.has(domain.toLowerCase()))
    },
  }
}

/**
 * The validators that domains may name, by the names existing databases hold. A name is data that callers of the API
 * write, so nothing is loaded by it: other names have no validator, and their members are refused.
 */
export const externalMemberValidators = (
  emailDomains: ReadonlySet<string>,
): ReadonlyMap<string, ExternalMemberValidator> =>
  new Map([['com.yahoo.athenz.auth.impl.ExternalEmailMemberValidator', emailValidator(emailDomains)]])
