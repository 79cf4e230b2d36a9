import { type CollectionCalls, groupCalls, membersAndAudit, roleCalls } from '../collection-calls.ts'
import { collectionPath } from '../collection-view.ts'
import { auditField, postForm } from '../components.ts'
import { html } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage } from '../page.ts'
import { scopeOf } from './collection.ts'

/** Deletes a role or group, after telling what is lost. */
const deletePage = (calls: CollectionCalls) => {
  const { kind, section } = calls
  return definePage({
    path: `/domain/:domainName/${kind}/:name/delete`,
    async load(request) {
      const { zms, params } = request
      const { domainName, name } = params
      const { summary, audited } = await membersAndAudit(zms, calls, params, { limit: 1 })
      const { active, expired, disabled, pending } = summary.memberCounts
      const to = collectionPath(calls, params)
      const content = html`
<p>With the ${kind} <strong>${name}</strong> its ${active + expired + disabled} memberships are lost, ${pending} requests, the history of
its members, and everything that ${kind === 'role' ? 'policies grant to it' : 'it grants in roles that have it as a member'}.
Nobody can bring them back here.</p>
<p>A copy can be kept: the first command below writes one.</p>
${postForm(request, { action: 'delete', submit: `Delete ${name}`, danger: true }, auditField(request, audited))}
<p><a href="${to}">Keep it</a></p>`
      return {
        title: `Delete ${name}?`,
        domain: domainName,
        section,
        trail: [{ label: name, to }],
        content,
        commands: [
          [kind, 'get', domainName, name],
          [kind, 'delete', domainName, name],
        ],
      }
    },
    actions: {
      async delete(request) {
        const { zms, place, auditRef } = scopeOf(request, calls)
        await calls.remove(zms, place, auditRef)
        return { to: sectionPath(place.domainName, section), notice: `The ${kind} ${place.name} was deleted.` }
      },
    },
  })
}

/** Deletes a role. */
export const deleteRolePage = deletePage(roleCalls)
/** Deletes a group. */
export const deleteGroupPage = deletePage(groupCalls)
