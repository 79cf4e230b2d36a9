import type { Assertion } from '#zms/api/assertion.ts'
import type { AssertionsPage, PolicySummary } from '#zms/api/policy-search.ts'
import {
  auditField,
  badge,
  definitions,
  filterForm,
  link,
  pager,
  postForm,
  selectField,
  table,
  textField,
  time,
} from '../components.ts'
import { counted } from '../counted.ts'
import { disclosure } from '../disclosure.ts'
import { type Content, type Html, html } from '../html.ts'
import { type Action, definePage, FormProblem, type PageRequest, type View } from '../page.ts'
import {
  assertionPath,
  assertionText,
  conditionTexts,
  effectBadge,
  newAssertionPath,
  type PolicyPlace,
  policyPath,
  roleLink,
} from '../policy-view.ts'
import { tagTexts } from '../tag-texts.ts'
import { undoBy } from '../undo.ts'

type Request = PageRequest<keyof PolicyPlace>

const ADMIN = 'admin'

const actions: Readonly<Record<string, Action<keyof PolicyPlace>>> = {
  async createVersion({ zms, params, form }) {
    const version = form.text('version')?.toLowerCase()
    if (version === undefined) throw new FormProblem('A version needs a name.', 'version')
    const body = { version, fromVersion: form.text('fromVersion') }
    await zms.call('putPolicyVersion', { ...params, body, auditRef: form.text('auditRef') })
    const notice = `The version ${version} has been made. It counts when it is activated.`
    return { to: policyPath(params, version), notice }
  },

  async activate({ zms, params, form }) {
    const version = form.text('version') ?? ''
    const auditRef = form.text('auditRef')
    const before = await zms.find('getPolicy', params)
    await zms.call('setActivePolicyVersion', { ...params, body: { version }, auditRef })
    const undo = undoBy(policyPath(params), 'activate', { version: before?.version, auditRef })
    const notice = `The version ${version} is active now.`
    return { to: policyPath(params), notice, ...(before?.version !== undefined && { undo }) }
  },

  async removeAssertion({ zms, params, form, target }) {
    const version = form.text('version') ?? ''
    const assertionId = Number(form.text('assertion'))
    const auditRef = form.text('auditRef')
    // One that is gone already is told of by ZMS.
    const { list } = await zms.call('searchAssertions', { ...params, version, skip: assertionId - 1, limit: 1 })
    const [removed] = list
    await zms.call('deleteAssertionPolicyVersion', { ...params, version, assertionId, auditRef })
    if (removed === undefined) return { to: target, notice: 'The assertion has been removed.' }
    const undo = undoBy(policyPath(params), 'restoreAssertion', {
      version,
      role: removed.role,
      assertedAction: removed.action,
      resource: removed.resource,
      effect: removed.effect,
      conditions:
        removed.conditions && JSON.stringify(removed.conditions.conditionsList.map((each) => each.conditionsMap)),
      auditRef,
    })
    return { to: target, notice: `Removed: ${assertionText(removed)}.`, undo }
  },

  async restoreAssertion({ zms, params, form }) {
    const version = form.text('version') ?? ''
    const conditions = restoredConditions(form.text('conditions'))
    const assertion = {
      role: form.exact('role') ?? '',
      action: form.exact('assertedAction') ?? '',
      resource: form.exact('resource') ?? '',
      effect: form.text('effect') === 'DENY' ? ('DENY' as const) : ('ALLOW' as const),
    }
    const keepsLetters = /\p{Lu}/u.test(assertion.action + assertion.resource)
    const body = { ...assertion, ...(keepsLetters && { caseSensitive: true }), ...(conditions && { conditions }) }
    await zms.call('putAssertionPolicyVersion', { ...params, version, body, auditRef: form.text('auditRef') })
    return { to: policyPath(params, version), notice: `Added again: ${assertionText(assertion)}.` }
  },
}

/** A policy: its versions, and the assertions of the active one, a part at a time. */
export const policyPage = definePage({
  path: '/domain/:domainName/policy/:policyName',
  load: (request) => show(request),
  actions,
})

/** A version of a policy with its assertions. */
export const policyVersionPage = definePage({
  path: '/domain/:domainName/policy/:policyName/version/:version',
  load: (request) => show(request, request.params.version),
  actions,
})

async function show(request: Request, asked?: string): Promise<View> {
  const { zms, params, query, pageSize } = request
  const { domainName, policyName } = params
  const skip = query.text('skip')
  const [found, { auditEnabled = false }] = await Promise.all([
    zms.call('searchAssertions', {
      domainName,
      policyName,
      version: asked,
      filter: query.text('filter'),
      limit: pageSize,
      skip: skip !== undefined && /^\d{1,15}$/.test(skip) ? Number(skip) : undefined,
    }),
    zms.call('getDomain', { domain: domainName }),
  ])
  const { policy, version, list, total, next } = found
  const isActive = policy.activeVersion === version
  const changes = policyName !== ADMIN
  const content = html`
${definitions([
  ['Description', policy.description],
  ['Tags', tagTexts(policy.tags)],
  ['Owner', policy.resourceOwnership?.objectOwner],
  ['Changed', time(policy.modified)],
])}
${!changes && html`<p>This policy gives the administrators of the domain their rights. It cannot be changed.</p>`}
<section aria-labelledby="assertions"><h2 id="assertions">What version ${version} says ${
    isActive ? badge('active', 'good') : badge('not active', 'warn')
  }</h2>
${filterForm(request, { name: 'filter', label: 'Find assertions', placeholder: 'part of role, action or resource' })}
<div id="results">${table({
    caption: counted(total, 'assertion'),
    head: ['Effect', 'Roles', 'Action', 'Resource', 'Conditions', ''],
    rows: list.map((each) => assertionRow(request, found, each, changes, auditEnabled)),
    empty:
      query.text('filter') === undefined ? 'It says nothing.' : 'No assertion has this in role, action or resource.',
  })}${pager(request, next === undefined ? undefined : String(next))}</div>
${changes && html`<p>${link(newAssertionPath(params, { version }), 'Add an assertion')}</p>`}</section>
<section aria-labelledby="versions"><h2 id="versions">Versions</h2>${versionTable(request, policy, changes, auditEnabled)}
${changes && disclosure(request, { summary: 'Create a version', actions: ['createVersion'] }, versionForm(request, found, auditEnabled))}</section>
${changes && html`<p>${link(`${policyPath(params)}/delete`, 'Delete this policy')}</p>`}`
  return {
    title: policy.name,
    domain: domainName,
    section: 'policies',
    ...(asked !== undefined && { trail: [{ label: policyName, to: policyPath(params) }] }),
    content,
    commands: isActive ? activeCommands(params, changes) : versionCommands(params, version),
  }
}

/** What commands do with the version that counts. */
const activeCommands = ({ domainName, policyName }: PolicyPlace, changes: boolean): string[][] => [
  ['policy', 'get', domainName, policyName],
  ...(changes
    ? [
        ['policy', 'add-assertion', domainName, policyName, 'grant ACTION to ROLE on RESOURCE'],
        ['policy', 'remove-assertion', domainName, policyName, 'grant ACTION to ROLE on RESOURCE'],
        ['policy', 'create-version', domainName, policyName, 'VERSION'],
        ['policy', 'delete', domainName, policyName],
      ]
    : []),
]

const versionCommands = ({ domainName, policyName }: PolicyPlace, version: string): string[][] => [
  ['policy', 'get', domainName, policyName, '--version', version],
  ['policy', 'activate', domainName, policyName, version],
  ['policy', 'delete-version', domainName, policyName, version],
]

function assertionRow(
  request: Request,
  { version }: AssertionsPage,
  assertion: Assertion,
  changes: boolean,
  audited: boolean,
): Content[] {
  const { effect, role, action, resource, id = 0 } = assertion
  return [
    effectBadge(effect),
    roleLink(role),
    html`<code>${action}</code>`,
    html`<code>${resource}</code>`,
    [
      conditionTexts(assertion),
      changes && link(assertionPath(request.params, version, id), assertion.conditions ? 'Change' : 'Add'),
    ],
    changes &&
      postForm(
        request,
        {
          action: 'removeAssertion',
          submit: 'Remove',
          danger: true,
          inline: true,
          label: `Remove ${assertionText(assertion)}`,
        },
        html`<input type="hidden" name="version" value="${version}"><input type="hidden" name="assertion" value="${id}">`,
        audited && auditField(request, true, `remove-${id}-reason`),
      ),
  ]
}

function versionTable(
  request: Request,
  { versions, activeVersion }: PolicySummary,
  changes: boolean,
  audited: boolean,
): Html {
  const { params } = request
  return table({
    caption: 'One version counts at a time; others are prepared beside it.',
    head: ['Version', 'Assertions', 'With conditions', 'Changed', ''],
    rows: versions.map(({ version, assertionCount, conditionCount, modified }) => {
      const isActive = version === activeVersion
      const activation = postForm(
        request,
        { action: 'activate', submit: 'Activate', inline: true, label: `Activate version ${version}` },
        html`<input type="hidden" name="version" value="${version}">`,
        audited && auditField(request, true, `activate-${version}-reason`),
      )
      return [
        [link(policyPath(params, version), version), ' ', isActive && badge('active', 'good')],
        assertionCount,
        conditionCount,
        time(modified),
        changes &&
          !isActive && [activation, ' ', link(`${policyPath(params, version)}/delete`, `Delete version ${version}`)],
      ]
    }),
    empty: 'There are no versions.',
  })
}

const versionForm = (request: Request, { policy, version }: AssertionsPage, audited: boolean): Html =>
  postForm(
    request,
    { action: 'createVersion', submit: 'Create the version' },
    textField(request, { name: 'version', label: 'Name of the version', required: true, placeholder: 'next' }),
    selectField(request, {
      name: 'fromVersion',
      label: 'A copy of version',
      value: policy.activeVersion ?? version,
      options: policy.versions.map((each): [string, string] => [each.version, each.version]),
    }),
    auditField(request, audited, 'version-reason'),
  )

type ConditionsMap = NonNullable<Assertion['conditions']>['conditionsList'][number]['conditionsMap']

/** Conditions that an undo brings back. ZMS checks what is in them. */
function restoredConditions(text: string | undefined) {
  if (text === undefined) return undefined
  try {
    const maps = JSON.parse(text) as readonly ConditionsMap[]
    return { conditionsList: maps.map((each) => ({ conditionsMap: new Map(Object.entries(each)) })) }
  } catch {
    throw new FormProblem('The conditions of the assertion cannot be read.')
  }
}
