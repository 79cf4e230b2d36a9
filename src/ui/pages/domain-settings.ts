import type { Domain } from '#zms/api/domain.ts'
import type { DomainMetaInput } from '#zms/api/domain-meta.ts'
import { auditField, postForm } from '../components.ts'
import { html, path } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage } from '../page.ts'
import {
  changedSettings,
  linesOf,
  parseLines,
  requireUnchanged,
  type Setting,
  settingFields,
  tagsIn,
} from '../settings-form.ts'
import { writeAgain } from '../write-again.ts'

/** The settings that administrators of a domain may change, in the order in which they are shown. */
export const DOMAIN_SETTINGS: readonly Setting[] = [
  { name: 'description', label: 'Description', kind: 'text' },
  { name: 'applicationId', label: 'Application id', kind: 'text' },
  { name: 'environment', label: 'Environment', kind: 'text', hint: 'such as production, staging or sandbox' },
  { name: 'slackChannel', label: 'Slack channel', kind: 'text' },
  { name: 'onCall', label: 'Who is on call', kind: 'text' },
  { name: 'memberExpiryDays', label: 'People stay members for days', kind: 'number', hint: '0 or empty: no limit' },
  { name: 'serviceExpiryDays', label: 'Services stay members for days', kind: 'number', hint: '0 or empty: no limit' },
  { name: 'groupExpiryDays', label: 'Groups stay members for days', kind: 'number', hint: '0 or empty: no limit' },
  { name: 'memberPurgeExpiryDays', label: 'Expired members are removed after days', kind: 'number' },
  { name: 'tokenExpiryMins', label: 'Longest life of tokens in minutes', kind: 'number' },
  { name: 'serviceCertExpiryMins', label: 'Longest life of certificates of services in minutes', kind: 'number' },
  { name: 'roleCertExpiryMins', label: 'Longest life of role certificates in minutes', kind: 'number' },
  {
    name: 'autoDeleteTenantAssumeRoleAssertions',
    label: 'Take assertions away from tenants when their roles are deleted',
    kind: 'switch',
  },
  { name: 'clientIdSelfUpdate', label: 'Let services change their own client id', kind: 'switch' },
  { name: 'tags', label: 'Tags', kind: 'lines', hint: 'one in a line: key=value,value' },
  { name: 'contacts', label: 'Contacts', kind: 'lines', hint: 'one in a line: security-owner=user.jane' },
]

/** The settings of a domain as the form has them. */
export const settingTexts = ({ tags = {}, contacts = {}, ...settings }: Domain): Readonly<Record<string, unknown>> => ({
  ...settings,
  tags: linesOf(Object.fromEntries(Object.entries(tags).map(([key, { list }]) => [key, list]))),
  contacts: linesOf(Object.fromEntries(Object.entries(contacts).map(([kind, name]) => [kind, [name]]))),
})

/** Changes the settings of a domain. */
export const domainSettingsPage = definePage({
  path: '/domain/:domainName/settings',
  async load(request) {
    const { domainName } = request.params
    const domain = await request.zms.call('getDomain', { domain: domainName })
    const fields = settingFields(request, DOMAIN_SETTINGS, settingTexts(domain))
    const audit = auditField(request, domain.auditEnabled === true)
    return {
      title: 'Settings',
      domain: domainName,
      content: html`${postForm(request, { action: 'save', submit: 'Save' }, fields, audit)}
<p><a href="${sectionPath(domainName, '')}">Back without a change</a></p>`,
      commands: [['domain', 'set', domainName, 'description=…']],
    }
  },
  actions: {
    async save({ zms, params, form }) {
      const { domainName } = params
      const changes = changedSettings(form, DOMAIN_SETTINGS)
      const { values, undo, count } = changes
      const to = sectionPath(domainName, '')
      if (count === 0) return { to, notice: 'Nothing was changed.' }
      const { tags, contacts, ...others } = values
      const auditRef = form.text('auditRef')
      const listed = {
        ...(tags !== undefined && { tags: tagsIn(String(tags)) }),
        ...(contacts !== undefined && { contacts: contactsOf(String(contacts)) }),
      }
      await writeAgain(async () => {
        const domain = await zms.call('getDomain', { domain: domainName })
        requireUnchanged(form, changes, DOMAIN_SETTINGS, settingTexts(domain))
        const body = { ...replacedByAbsence(domain), ...others, ...listed }
        await zms.call('putDomainMeta', { name: domainName, unchangedSince: domain.modified, auditRef, body })
      })
      const notice = count === 1 ? 'One setting was changed.' : `${count} settings were changed.`
      // The first tags cannot be taken away again.
      if (tags !== undefined && !form.text('was.tags')) return { to, notice }
      const fields = { ...undo, ...(auditRef !== undefined && { auditRef: `undo: ${auditRef}` }) }
      return { to, notice, undo: { to: path`/domain/${domainName}/settings`, action: 'save', fields } }
    },
  },
})

/** What ZMS takes away when a request leaves it out. */
const replacedByAbsence = (domain: Domain): DomainMetaInput => {
  const { description, applicationId, autoDeleteTenantAssumeRoleAssertions, clientIdSelfUpdate } = domain
  return { description, applicationId, autoDeleteTenantAssumeRoleAssertions, clientIdSelfUpdate }
}

const contactsOf = (text: string): ReadonlyMap<string, string> =>
  new Map([...parseLines(text, 'contacts')].map(([kind, names]) => [kind, names.join(',')]))
