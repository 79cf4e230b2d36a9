import {
  type CollectionCalls,
  type CollectionSummary,
  groupCalls,
  type MetaChange,
  membersAndAudit,
  roleCalls,
} from '../collection-calls.ts'
import { collectionPath } from '../collection-view.ts'
import { auditField, postForm } from '../components.ts'
import { html } from '../html.ts'
import { definePage } from '../page.ts'
import { changedSettings, linesOf, requireUnchanged, type Setting, settingFields, tagsIn } from '../settings-form.ts'
import { writeAgain } from '../write-again.ts'

const NO_LIMIT = '0 or empty: no limit'

/** The settings of groups, which roles have, too. */
const SHARED: readonly Setting[] = [
  { name: 'selfServe', label: 'Everybody may ask to become a member', kind: 'switch' },
  { name: 'reviewEnabled', label: 'Members need the approval of a second person', kind: 'switch' },
  { name: 'deleteProtection', label: 'Removals need that approval, too', kind: 'switch' },
  { name: 'selfRenew', label: 'Members may renew themselves', kind: 'switch' },
  { name: 'selfRenewMins', label: 'For minutes', kind: 'number' },
  { name: 'maxMembers', label: 'Most members', kind: 'number', hint: NO_LIMIT },
  { name: 'memberExpiryDays', label: 'People stay members for days', kind: 'number', hint: NO_LIMIT },
  { name: 'serviceExpiryDays', label: 'Services stay members for days', kind: 'number', hint: NO_LIMIT },
  { name: 'userAuthorityFilter', label: 'Attributes that members need', kind: 'text' },
  { name: 'userAuthorityExpiration', label: 'Attribute with the date on which members end', kind: 'text' },
  { name: 'principalDomainFilter', label: 'Domains that members are from', kind: 'text' },
  { name: 'notifyRoles', label: 'Roles that are told of requests', kind: 'text' },
  { name: 'notifyDetails', label: 'What they are told', kind: 'text' },
  { name: 'tags', label: 'Tags', kind: 'lines', hint: 'one in a line: key=value,value' },
]

const OF_ROLES: readonly Setting[] = [
  { name: 'description', label: 'Description', kind: 'text' },
  ...SHARED.slice(0, -1),
  { name: 'groupExpiryDays', label: 'Groups stay members for days', kind: 'number', hint: NO_LIMIT },
  { name: 'memberReviewDays', label: 'People are reviewed after days', kind: 'number' },
  { name: 'serviceReviewDays', label: 'Services are reviewed after days', kind: 'number' },
  { name: 'groupReviewDays', label: 'Groups are reviewed after days', kind: 'number' },
  { name: 'tokenExpiryMins', label: 'Longest life of tokens in minutes', kind: 'number' },
  { name: 'certExpiryMins', label: 'Longest life of role certificates in minutes', kind: 'number' },
  { name: 'signAlgorithm', label: 'Algorithm of signatures', kind: 'text' },
  ...SHARED.slice(-1),
]

/** What ZMS takes for off when a request leaves it out. */
const OFF_WHEN_ABSENT = ['selfServe', 'reviewEnabled', 'deleteProtection'] as const

/** Changes the settings of a role or group. */
const settingsPage = (calls: CollectionCalls) => {
  const { kind, section } = calls
  const settings = kind === 'role' ? OF_ROLES : SHARED
  return definePage({
    path: `/domain/:domainName/${kind}/:name/settings`,
    async load(request) {
      const { zms, params } = request
      const { domainName, name } = params
      const { summary, audited } = await membersAndAudit(zms, calls, params, { limit: 1 })
      const fields = settingFields(request, settings, settingTexts(summary))
      const to = collectionPath(calls, params)
      return {
        title: 'Settings',
        domain: domainName,
        section,
        trail: [{ label: name, to }],
        content: html`${postForm(request, { action: 'save', submit: 'Save' }, fields, auditField(request, audited))}
<p><a href="${to}">Back without a change</a></p>`,
        commands: [[kind, 'set', domainName, name, 'memberExpiryDays=90', 'selfServe=true']],
      }
    },
    actions: {
      async save(request) {
        const { form, params, zms } = request
        const changes = changedSettings(form, settings)
        const { values, undo, count } = changes
        const to = collectionPath(calls, params)
        if (count === 0) return { to, notice: 'Nothing was changed.' }
        const { tags, ...others } = values
        const tagged = tags !== undefined && { tags: tagsIn(String(tags)) }
        const auditRef = form.text('auditRef')
        await writeAgain(async () => {
          const { summary } = await calls.members(zms, params, { limit: 1 })
          requireUnchanged(form, changes, settings, settingTexts(summary))
          const kept = Object.fromEntries(OFF_WHEN_ABSENT.map((name) => [name, summary[name]]))
          const body = { ...kept, ...others, ...tagged } as MetaChange['body']
          await calls.putMeta(zms, params, { body, unchangedSince: summary.modified }, auditRef)
        })
        const notice = count === 1 ? 'One setting was changed.' : `${count} settings were changed.`
        // The first tags cannot be taken away again.
        if (tags !== undefined && !form.text('was.tags')) return { to, notice }
        const fields = { ...undo, ...(auditRef !== undefined && { auditRef: `undo: ${auditRef}` }) }
        return { to, notice, undo: { to: collectionPath(calls, params, 'settings'), action: 'save', fields } }
      },
    },
  })
}

/** The settings as the form has them. */
const settingTexts = ({ tags = {}, ...summary }: CollectionSummary): Readonly<Record<string, unknown>> => ({
  ...summary,
  tags: linesOf(Object.fromEntries(Object.entries(tags).map(([key, { list }]) => [key, list]))),
})

/** Changes the settings of a role. */
export const roleSettingsPage = settingsPage(roleCalls)
/** Changes the settings of a group. */
export const groupSettingsPage = settingsPage(groupCalls)
