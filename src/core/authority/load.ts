import { ConfigError } from '#core/config/config-error.ts'
import { loadPlugIn, type PlugInPoint } from '#core/config/plug-in.ts'
import { messageOf } from '../error/message-of.ts'
import type { Authority, AuthorityContext } from './authority.ts'
import { builtInAuthorities, unsupportedAuthorities } from './built-in.ts'

/** The setting that lists the authorities of a server. */
export interface AuthorityListSetting {
  /** Its name, for messages, e.g. `athenz.zms.authority_classes`. */
  readonly property: string
  /** Class names of existing configurations, or ES modules as loadPlugIn takes them, in the order of the chain. */
  readonly classNames: readonly string[]
  /** Directory that relative module paths and package names are looked up from. */
  readonly directory: string
}

/** The authorities of a server, initialized, in the order of the chain. */
export class LoadedAuthorities {
  readonly list: readonly Authority[]
  readonly #setting: AuthorityListSetting

  constructor(list: readonly Authority[], setting: AuthorityListSetting) {
    this.list = list
    this.#setting = setting
  }

  /**
   * The authority that another setting names, e.g. `athenz.zms.user_authority_class`, by its entry in the list. Throws a
   * ConfigError when it is not in the list.
   */
  named(property: string, className: string): Authority {
    const authority = this.list[this.#setting.classNames.indexOf(className)]
    if (authority === undefined) {
      throw new ConfigError([`${property}: "${className}" is not in ${this.#setting.property} (add it there)`])
    }
    return authority
  }
}

/**
 * Makes and initializes the authorities that a setting lists. Throws a ConfigError with a line for every entry that
 * cannot be used, naming property and value; what had been started is then closed again.
 */
export async function loadAuthorities(
  setting: AuthorityListSetting,
  context: AuthorityContext,
): Promise<LoadedAuthorities> {
  const started: Authority[] = []
  const problems: string[] = []
  for (const className of setting.classNames) {
    try {
      started.push(await loadAuthority(className, setting, context))
    } catch (error) {
      problems.push(...problemsOf(error))
    }
  }
  if (problems.length === 0) return new LoadedAuthorities(started, setting)
  await Promise.allSettled(started.map(async (authority) => authority.close?.()))
  throw new ConfigError(problems)
}

async function loadAuthority(
  className: string,
  { property, directory }: AuthorityListSetting,
  context: AuthorityContext,
): Promise<Authority> {
  const reason = unsupportedAuthorities.get(className)
  if (reason !== undefined) throw new ConfigError([`${property}: "${className}" ${reason}`])
  const point: PlugInPoint<Authority, []> = {
    property,
    what: 'authority',
    builtIn: builtInAuthorities,
    problemsOf: lacksOfAuthority,
    directory,
  }
  const authority = await loadPlugIn(className, point)
  try {
    await authority.initialize?.(context)
    return authority
  } catch (cause) {
    const text = messageOf(cause)
    throw Object.assign(new ConfigError([`${property}: "${className}" cannot start: ${text}`]), { cause })
  }
}

const problemsOf = (error: unknown): readonly string[] => {
  if (error instanceof ConfigError) return error.problems
  throw error
}

const SOURCE_METHODS = new Map([
  ['header', 'authenticateHeader'],
  ['certificate', 'authenticateCertificate'],
  ['request', 'authenticateRequest'],
])

/** What an object lacks to be an authority, in words; nothing of it may be missing or of another type. */
function lacksOfAuthority(candidate: object): readonly string[] {
  const { id, credentialSource, header, allowAuthorization } = candidate as Partial<Record<keyof Authority, unknown>>
  const lacks: string[] = []
  if (typeof id !== 'string' || id === '') lacks.push('id (text for the access log)')
  if (typeof allowAuthorization !== 'boolean') lacks.push('allowAuthorization (true or false)')
  const method = SOURCE_METHODS.get(String(credentialSource))
  if (method === undefined) lacks.push("credentialSource ('header', 'certificate' or 'request')")
  else if (typeof Reflect.get(candidate, method) !== 'function') lacks.push(`method ${method}`)
  if (credentialSource === 'header' && (typeof header !== 'string' || header === '')) lacks.push('header (its name)')
  return lacks
}
