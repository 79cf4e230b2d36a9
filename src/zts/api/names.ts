import { kept } from '#core/http/scalar-types.ts'
import { decoded, lower, text, unchecked, unlessEmpty } from '#core/http/wire.ts'

const compound = '[a-zA-Z0-9_][a-zA-Z0-9_-]*(?:\\.[a-zA-Z0-9_][a-zA-Z0-9_-]*)*'
const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`)

/**
 * String types that ZTS publishes and ZMS does not, or publishes differently, as anchored patterns. As with the shared
 * ones, a character belongs either to a part or to its separator, so that a failed match takes linear time.
 */
export const ztsPatterns = {
  /** Comma separated. */
  EntityList: whole(`${compound}(?:,${compound})*`),
  SignedToken: whole('[a-zA-Z0-9._%=;,-]*'),
  PathElement: whole('[a-zA-Z0-9._~=+@$,:-]*'),
  AWSRoleName: whole('[a-zA-Z0-9._=+@,-]*'),
  AWSRolePathElement: whole('[a-zA-Z0-9][a-zA-Z0-9._-]*'),
  AWSRolePath: whole('(?:[a-zA-Z0-9][a-zA-Z0-9._-]*/)+'),
  /** A role of AWS with its path. */
  AWSArnRoleName: whole('(?:[a-zA-Z0-9][a-zA-Z0-9._-]*/)*[a-zA-Z0-9._=+@,-]*'),
} as const

/** Id of an instance in a request; its letters are kept. */
export const instanceId = text(ztsPatterns.PathElement, undefined, 'PathElement')
/** The same in a reply. */
export const shownInstanceId = unchecked(instanceId)
/** A token in a reply. */
export const shownToken = unchecked(text(ztsPatterns.SignedToken, undefined, 'SignedToken'))
/** Comma-separated names in a query, in lower case; without value it counts as absent. */
export const queriedEntities = unlessEmpty(lower(text(ztsPatterns.EntityList, undefined, 'EntityList')))
/** A role of AWS in a path. Clients encode it twice, since its own path has slashes. */
export const awsRole = decoded(text(ztsPatterns.AWSArnRoleName, undefined, 'AWSArnRoleName'))
/** A name in a query whose letters are kept; without value it counts as absent. */
export const queriedKept = { simple: unlessEmpty(kept.simple), entity: unlessEmpty(kept.entity) } as const
