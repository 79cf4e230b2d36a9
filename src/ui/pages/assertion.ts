import { auditField, definitions, postForm, table, textArea } from '../components.ts'
import { disclosure } from '../disclosure.ts'
import { type Html, html } from '../html.ts'
import { definePage, FormProblem, type PageRequest } from '../page.ts'
import { assertionPath, effectBadge, type PolicyPlace, policyPath, roleLink } from '../policy-view.ts'
import { undoBy } from '../undo.ts'

type Request = PageRequest<keyof PolicyPlace | 'version' | 'assertion'>
type Condition = Readonly<Record<string, { readonly operator: 'EQUALS'; readonly value: string }>>

/** An assertion with its conditions, of which one must hold. */
export const assertionPage = definePage({
  path: '/domain/:domainName/policy/:policyName/version/:version/assertion/:assertion',
  async load(request) {
    const { zms, params } = request
    const { domainName, policyName, version } = params
    const id = idOf(params)
    const [{ policy, list }, { auditEnabled = false }] = await Promise.all([
      zms.call('searchAssertions', { domainName, policyName, version, skip: id - 1, limit: 1 }),
      zms.call('getDomain', { domain: domainName }),
    ])
    const assertion = list.find((each) => each.id === id)
    const trail = [
      { label: policyName, to: policyPath(params) },
      { label: `Version ${version}`, to: policyPath(params, version) },
    ]
    const frame = { domain: domainName, section: 'policies', trail }
    if (assertion === undefined) {
      const content = html`<p>Version ${version} of ${policy.name} has no assertion ${id}: it may have been removed.</p>`
      return { ...frame, title: 'There is no such assertion', content, status: 404 }
    }
    const { effect, role, action, resource, conditions } = assertion
    const all = conditions?.conditionsList ?? []
    const content = html`
${definitions([
  ['Effect', effectBadge(effect)],
  ['Roles', roleLink(role)],
  ['Action', html`<code>${action}</code>`],
  ['Resource', html`<code>${resource}</code>`],
])}
<section aria-labelledby="conditions"><h2 id="conditions">Conditions</h2>
<p>Those who enforce the policy look at them; ZMS itself, and what it says of access, does not.</p>
${table({
  caption: 'One of these must hold, with everything in it',
  head: ['Condition', ''],
  rows: all.map(({ id: conditionId = 0, conditionsMap }) => [
    html`<code>${linesOf(conditionsMap).join('; ')}</code>`,
    [
      postForm(
        request,
        { action: 'remove', submit: 'Remove', danger: true, inline: true, label: `Remove condition ${conditionId}` },
        html`<input type="hidden" name="condition" value="${conditionId}">`,
        auditEnabled && auditField(request, true, `remove-${conditionId}-reason`),
      ),
      changeForm(asSent(request, String(conditionId)), { id: conditionId, conditionsMap }, auditEnabled),
    ],
  ]),
  empty: 'There are none: it always holds.',
})}
<h3>Add a condition</h3>
${additionForm(asSent(request, undefined), auditEnabled)}</section>`
    // The commands are about the version that counts.
    const commands =
      version === policy.activeVersion
        ? [
            ['policy', 'get', domainName, policyName],
            ['policy', 'add-condition', domainName, policyName, String(id), 'KEY=VALUE'],
            ['policy', 'remove-condition', domainName, policyName, String(id), 'ID'],
          ]
        : [['policy', 'get', domainName, policyName, '--version', version]]
    return { ...frame, title: `Assertion ${id}`, content, commands }
  },
  actions: {
    async put({ zms, params, form }) {
      const conditionsMap = readCondition(form.text('lines') ?? '')
      const id = form.text('condition')
      const body = { conditionsMap, ...(id !== undefined && { id: Number(id) }) }
      await zms.call('putAssertionCondition', { ...callOf(params), body, auditRef: form.text('auditRef') })
      return { to: pathOf(params), notice: 'The condition has been saved.' }
    },

    async remove({ zms, params, form }) {
      const id = Number(form.text('condition'))
      const auditRef = form.text('auditRef')
      const { domainName, policyName, version } = params
      const asked = { domainName, policyName, version, skip: idOf(params) - 1, limit: 1 }
      const { list } = await zms.call('searchAssertions', asked)
      const removed = list[0]?.conditions?.conditionsList.find((each) => each.id === id)
      await zms.call('deleteAssertionCondition', { ...callOf(params), conditionId: id, auditRef })
      const lines = removed && linesOf(removed.conditionsMap).join('\n')
      const undo = undoBy(pathOf(params), 'put', { lines, auditRef })
      return { to: pathOf(params), notice: 'The condition has been removed.', ...(removed && { undo }) }
    },
  },
})

const idOf = ({ assertion }: Request['params']): number => (/^\d{1,15}$/.test(assertion) ? Number(assertion) : 0)

const pathOf = (params: Request['params']): string => assertionPath(params, params.version, idOf(params))

const callOf = (params: Request['params']) => ({
  domainName: params.domainName,
  policyName: params.policyName,
  assertionId: idOf(params),
})

/** The request for the form of one condition: only the one that was sent shows again what was written. */
function asSent(request: Request, condition: string | undefined): Request {
  const { formAction: _, ...others } = request
  return request.form.text('condition') === condition ? request : others
}

const changeForm = (
  request: Request,
  { id, conditionsMap }: { readonly id: number; readonly conditionsMap: Condition },
  audited: boolean,
): Html =>
  disclosure(
    request,
    { summary: `Change condition ${id}`, actions: ['put'] },
    postForm(
      request,
      { action: 'put', submit: 'Save' },
      html`<input type="hidden" name="condition" value="${id}">`,
      conditionField(request, `condition-${id}`, linesOf(conditionsMap)),
      auditField(request, audited, `change-${id}-reason`),
    ),
  )

const additionForm = (request: Request, audited: boolean): Html =>
  postForm(
    request,
    { action: 'put', submit: 'Add the condition' },
    conditionField(request, 'new-condition', []),
    auditField(request, audited, 'add-reason'),
  )

const conditionField = (request: Request, id: string, lines: readonly string[]): Html =>
  textArea(request, {
    name: 'lines',
    id,
    label: 'Condition',
    value: lines.join('\n'),
    rows: 3,
    required: true,
    hint: 'One key = value on each line, e.g. enforcementstate = report; all of them must hold. A value may have * in it.',
  })

const linesOf = (condition: Condition): string[] =>
  Object.entries(condition).map(([key, { value }]) => `${key} = ${value}`)

/** Reads the lines of a condition. Throws FormProblem for one that is none; what keys and values may be ZMS says. */
function readCondition(text: string): Condition {
  const rows = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const equals = line.indexOf('=')
      if (equals < 1) throw new FormProblem(`Write key = value on each line; this is none: ${line}`, 'lines')
      return [line.slice(0, equals).trim(), line.slice(equals + 1).trim()] as const
    })
  const keys = rows.map(([key]) => key.toLowerCase())
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  if (twice !== undefined)
    throw new FormProblem(`${twice} is there twice; write a condition of its own for one.`, 'lines')
  return Object.fromEntries(rows.map(([key, value]) => [key, { operator: 'EQUALS' as const, value }]))
}
