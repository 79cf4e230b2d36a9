import { messageOf } from '#core/error/message-of.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { jobContext } from './job-context.ts'
import { suspendPrincipal } from './principal-state.ts'
import { suspensions } from './suspension.ts'

const AUDIT_REFERENCE = 'Athenz Principal State Updater'

/**
 * Takes over from the user authority which principals are suspended: those it names anew are suspended in all their
 * memberships, those it no longer names are so no more. Names that were never seen have no memberships and are passed
 * over. One principal that cannot be changed does not hold up the others.
 */
export async function updatePrincipalStates(deps: ZmsDependencies): Promise<void> {
  const { store, userAuthority, log } = deps
  if (!userAuthority?.suspendedPrincipals) return
  const named = new Set(await userAuthority.suspendedPrincipals())
  const suspended = new Set(await store.suspendedPrincipals(suspensions.authority))
  const context = jobContext(deps.config, 'principalstateupdater')
  for (const principalName of new Set([...named, ...suspended])) {
    if (named.has(principalName) === suspended.has(principalName)) continue
    if ((await store.principal(principalName)) === undefined) continue
    const change = { principalName, bit: suspensions.authority, suspended: named.has(principalName) }
    try {
      await suspendPrincipal(deps, context, { ...change, auditRef: AUDIT_REFERENCE })
    } catch (error) {
      const reason = messageOf(error)
      log('error', `the state of ${principalName} could not be taken over from the user authority: ${reason}`)
    }
  }
}
