import { principalName } from './names.ts'
import { message, type Result } from './result.ts'
import type { Session } from './session.ts'

/** What a domain begins with besides its administrators. */
export interface NewDomain {
  readonly ypmId?: number
  readonly productId?: string
}

/** Creates a domain; the words after its name are the product, where products are needed, and administrators. */
export async function newDomain(session: Session, domain: string, words: readonly string[]): Promise<Result> {
  const isTop = !domain.includes('.')
  const [product, admins] =
    isTop && session.flags.needsProductId && words.length > 0 ? [words[0], words.slice(1)] : [undefined, words]
  const kind = await createDomain(session, domain, admins, product === undefined ? {} : productOf(product))
  return message(`[${kind} created: ${domain}]`)
}

/** The product of a domain, which has a number or a name. */
export const productOf = (word: string): NewDomain =>
  /^\d+$/.test(word) ? { ypmId: Number(word) } : { productId: word }

/** Creates a domain of the kind that its name says; gives the word for this kind. */
export async function createDomain(
  session: Session,
  domain: string,
  admins: readonly string[],
  contents: NewDomain = {},
): Promise<'domain' | 'subdomain'> {
  const { userDomain, homeDomain, addSelf } = session.flags
  const named = admins.map((word) => principalName(word, userDomain))
  const adminUsers = [...new Set([...named, ...(addSelf ? [session.identity] : [])])]
  const at = domain.lastIndexOf('.')
  const [parent, name] = [domain.slice(0, Math.max(at, 0)), domain.slice(at + 1)]
  if (parent === '') {
    await session.call('postTopLevelDomain', { body: { name, adminUsers, ...contents } })
    return 'domain'
  }
  if (parent === homeDomain) {
    await session.call('postUserDomain', { name, body: { name, ...contents } })
    return 'domain'
  }
  await session.call('postSubDomain', { parent, body: { parent, name, adminUsers, ...contents } })
  return 'subdomain'
}
