import { AthenzClientError } from '#client/client-error.ts'
import { resourceDomain } from '#core/names/resource-name.ts'
import { assertionPreview } from '../assertion-preview.ts'
import { auditField, badge, checkBox, selectField, textField } from '../components.ts'
import { type Content, type Html, html, withQuery } from '../html.ts'
import { definePage, FormProblem, type PageRequest } from '../page.ts'
import { assertionText, newAssertionPath, type PolicyPlace, policyPath } from '../policy-view.ts'
import { undoBy } from '../undo.ts'
import type { Zms } from '../zms-calls.ts'

type Request = PageRequest<keyof PolicyPlace>

/** Fields of the form, in the query where the page shows what they would do. */
const FIELDS = ['version', 'effect', 'role', 'assertedAction', 'resource', 'caseSensitive'] as const

/** What was written, with full names. */
interface Written {
  readonly version: string | undefined
  readonly effect: 'ALLOW' | 'DENY'
  readonly role: string | undefined
  readonly action: string | undefined
  readonly resource: string | undefined
  readonly caseSensitive: boolean
}

/** Writes an assertion, and shows while it is written what it would do. */
export const newAssertionPage = definePage({
  path: '/domain/:domainName/policy/:policyName/new-assertion',
  async load(request) {
    const { zms, params, query } = request
    const { domainName, policyName } = params
    const written = writtenIn(request)
    const { role, action, resource, effect } = written
    const isWhole = role !== undefined && action !== undefined && resource !== undefined
    const [{ policy }, { auditEnabled }, preview] = await Promise.all([
      zms.call('searchAssertions', { ...params, limit: 1 }),
      zms.call('getDomain', { domain: domainName }),
      isWhole ? previewed(zms, { domainName, role, action, resource, effect }) : undefined,
    ])
    const versions = [policy.activeVersion, ...policy.versions.map(({ version }) => version)].filter(
      (version, index, all): version is string => version !== undefined && all.indexOf(version) === index,
    )
    const isAsked = request.formAction === undefined && FIELDS.some((name) => query.has(name))
    // Fields show what the query says as they show what was sent.
    const shown: Request = isAsked ? { ...request, form: query, formAction: 'preview' } : request
    const content = html`${assertionForm(shown, versions, auditEnabled)}
<section id="preview" aria-labelledby="preview-title" aria-live="polite"><h2 id="preview-title">What it would do</h2>
${preview ?? html`<p class="empty">Fill in role, action and resource to see whom and what it is about.</p>`}
</section>`
    const words = isWhole ? assertionText({ effect, role, action, resource }) : 'grant ACTION to ROLE on RESOURCE'
    return {
      title: `Add an assertion to ${policyName}`,
      domain: domainName,
      section: 'policies',
      trail: [{ label: policyName, to: policyPath(params) }],
      content,
      commands: [['policy', 'add-assertion', domainName, policyName, words]],
    }
  },
  actions: {
    async add(request) {
      const { zms, params, form, query } = request
      const { version, role, action, resource, effect, caseSensitive } = writtenIn(request)
      if (query.has('preview')) {
        const fields = Object.fromEntries(FIELDS.map((name) => [name, form.text(name)]))
        return {
          to: newAssertionPath(params, fields),
          notice: 'Nothing has been added yet. Below is what it would do.',
        }
      }
      if (role === undefined) throw new FormProblem('Whose action is it? Write a role.', 'role')
      if (action === undefined) throw new FormProblem('Write an action.', 'assertedAction')
      if (resource === undefined) throw new FormProblem('Write a resource.', 'resource')
      const auditRef = form.text('auditRef')
      const body = { effect, role, action, resource, ...(caseSensitive && { caseSensitive }) }
      const { id } =
        version === undefined
          ? await zms.call('putAssertion', { ...params, body, auditRef })
          : await zms.call('putAssertionPolicyVersion', { ...params, version, body, auditRef })
      const to = policyPath(params, version)
      const notice = `Added: ${assertionText(body)}.`
      if (id === undefined || version === undefined) return { to, notice }
      return { to, notice, undo: undoBy(to, 'removeAssertion', { version, assertion: String(id), auditRef }) }
    },
  },
})

/** What ZMS says that it would do, or why it cannot be. */
async function previewed(
  zms: Zms,
  asked: { domainName: string; role: string; action: string; resource: string; effect: string },
): Promise<Html> {
  try {
    return assertionPreview(asked.domainName, await zms.call('previewAssertion', asked))
  } catch (error) {
    if (!(error instanceof AthenzClientError) || error.status !== 400) throw error
    return html`<p>${badge('cannot be', 'bad')} ZMS says: ${error.message}.</p>`
  }
}

/** What was sent, or else what the query says; names of the domain itself may be short. */
function writtenIn({ params: { domainName }, query, form, formAction }: Request): Written {
  const fields = formAction === undefined ? query : form
  const domain = domainName.toLowerCase()
  const role = fields.text('role')
  const resource = fields.text('resource')
  return {
    version: fields.text('version'),
    effect: fields.text('effect') === 'DENY' ? 'DENY' : 'ALLOW',
    role: role === undefined || role.includes(':') ? role : `${domain}:role.${role}`,
    action: fields.text('assertedAction'),
    resource: resource === undefined || resourceDomain(resource) !== undefined ? resource : `${domain}:${resource}`,
    caseSensitive: fields.has('caseSensitive'),
  }
}

/** The fields ask for a new preview whenever they change; without scripts a button does. */
function assertionForm(request: Request, versions: readonly string[], audited: boolean | undefined): Html {
  const { params, csrfToken, query } = request
  const to = newAssertionPath(params)
  const back = withQuery(to, Object.fromEntries(FIELDS.map((name) => [name, query.text(name)])))
  return html`<form method="post" action="${back}" class="stacked">
<input type="hidden" name="csrf" value="${csrfToken}"><input type="hidden" name="action" value="add">
<div hx-get="${to}" hx-trigger="input delay:300ms" hx-include="closest form" hx-params="${FIELDS.join(',')}"
 hx-target="#preview" hx-select="#preview" hx-swap="outerHTML" hx-sync="this:replace">
${assertionFields(request, versions)}</div>
${auditField(request, audited)}
<button class="primary">Add the assertion</button> <button formaction="${to}?preview=1" formnovalidate>Show what it would do</button></form>`
}

const assertionFields = (request: Request, versions: readonly string[]): Content => [
  selectField(request, {
    name: 'effect',
    label: 'Effect',
    value: 'ALLOW',
    options: [
      ['ALLOW', 'ALLOW: who holds the role may do it'],
      ['DENY', 'DENY: who holds the role must not do it, whatever else allows it'],
    ],
  }),
  textField(request, {
    name: 'role',
    label: 'Role',
    required: true,
    hint: 'Of this domain; readers, or sports:role.readers. * stands for any text, ? for one character.',
  }),
  textField(request, { name: 'assertedAction', label: 'Action', required: true, hint: 'For example read, or *.' }),
  textField(request, {
    name: 'resource',
    label: 'Resource',
    required: true,
    hint: 'For example thing.*; the name of the domain is put in front when there is none.',
  }),
  checkBox(request, { name: 'caseSensitive', label: 'Keep capital letters of action and resource' }),
  selectField(request, {
    name: 'version',
    label: 'Version of the policy',
    value: versions[0],
    options: versions.map((version): [string, string] => [version, version]),
  }),
]
