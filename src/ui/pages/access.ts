import { AthenzClientError } from '#client/client-error.ts'
import { resourceDomain, splitResourceName } from '#core/names/resource-name.ts'
import type { ResourceHolders } from '#zms/api/access-search.ts'
import { reachText } from '../assertion-preview.ts'
import { badge, link, pager, table } from '../components.ts'
import { counted } from '../counted.ts'
import { explanationView } from '../explanation-view.ts'
import { type Content, type Html, html, withQuery } from '../html.ts'
import { definePage, FormProblem, type PageRequest } from '../page.ts'
import { effectBadge, policyLink, roleLink } from '../policy-view.ts'
import { undoBy } from '../undo.ts'

/** A question; what is left open is what the page tells. */
interface Asked {
  readonly principal: string | undefined
  readonly action: string | undefined
  readonly resource: string | undefined
}

/** Who may do what: why somebody may do something or not, who may do it, and what somebody may do. */
export const accessPage = definePage({
  path: '/access',
  async load(request) {
    const asked = askedIn(request)
    const { principal, action, resource } = asked
    const [why, who, what] = await Promise.all([
      answered(() => (principal && action && resource ? explained(request, asked) : undefined)),
      answered(() => (action && resource ? holders(request, action, resource) : undefined)),
      answered(() => (principal && !resource ? rights(request, principal, action) : undefined)),
    ])
    const content = html`${questionForm(asked, request.principal)}${why}${who}${what}`
    return {
      title: 'Who may do what',
      content,
      commands: [['explain', principal ?? 'PRINCIPAL', action ?? 'ACTION', resource ?? 'DOMAIN:RESOURCE']],
    }
  },
  actions: {
    async addMember({ zms, form, target }) {
      const { place, auditRef } = memberOf(form)
      await zms.call('putMembership', { ...place, body: { memberName: place.memberName }, auditRef })
      const role = form.text('role')
      const notice = `${place.memberName} has been put into ${role}; where that needs an approval, it waits for it.`
      return { to: target, notice, undo: undoBy(target, 'removeMember', { role, member: place.memberName, auditRef }) }
    },

    async removeMember({ zms, form, target }) {
      const { place, auditRef } = memberOf(form)
      await zms.call('deleteMembership', { ...place, auditRef })
      const role = form.text('role')
      const notice = `${place.memberName} has been taken out of ${role}.`
      return { to: target, notice, undo: undoBy(target, 'addMember', { role, member: place.memberName, auditRef }) }
    },
  },
})

function memberOf(form: PageRequest['form']) {
  const role = splitResourceName('role', form.text('role') ?? '')
  const memberName = form.text('member')
  if (role === undefined || memberName === undefined) throw new FormProblem('The form names no role and member.')
  const place = { domainName: role.domain, roleName: role.name, memberName }
  return { place, auditRef: form.text('auditRef') }
}

const askedIn = ({ query }: PageRequest): Asked => ({
  principal: query.text('principal')?.toLowerCase(),
  action: query.text('action'),
  resource: query.text('resource'),
})

const questionForm = ({ principal, action, resource }: Asked, self: string): Html =>
  html`<form method="get" action="/access" class="stacked">
<div class="field"><label for="principal">Who</label>
<input id="principal" name="principal" value="${principal ?? (action === undefined && resource === undefined ? self : '')}" autocomplete="off" aria-describedby="principal-hint">
<p class="hint" id="principal-hint">A full name, such as user.joe or sports.api. Left empty: everybody who may.</p></div>
<div class="field"><label for="action">Action</label>
<input id="action" name="action" value="${action}" autocomplete="off" placeholder="read"></div>
<div class="field"><label for="resource">Resource</label>
<input id="resource" name="resource" value="${resource}" autocomplete="off" placeholder="sports:thing.1" aria-describedby="resource-hint">
<p class="hint" id="resource-hint">With its domain in front. Left empty: everything that this one may do.</p></div>
<button class="primary">Ask</button></form>`

/** What a question gave; what ZMS does not accept is told beside the question, which stays as it was written. */
async function answered(ask: () => Promise<Content> | undefined): Promise<Content> {
  try {
    return await ask()
  } catch (error) {
    const isTold = error instanceof AthenzClientError && (error.status === 400 || error.status === 404)
    if (!isTold && !(error instanceof AthenzClientError && error.kind === 'invalid-request')) throw error
    return html`<div class="problem" role="alert"><p>ZMS says: ${error.message}.</p></div>`
  }
}

async function explained(
  request: PageRequest,
  { principal = '', action = '', resource = '' }: Asked,
): Promise<Content> {
  const question = { action, resource, checkPrincipal: principal }
  try {
    const { explanation } = await request.zms.call('getAccessExt', { ...question, explain: true })
    if (explanation !== undefined) return explanationView(request, explanation)
  } catch (error) {
    // Whoever may not see why may still see whether.
    if (!(error instanceof AthenzClientError) || error.status !== 403) throw error
  }
  const { granted } = await request.zms.call('getAccessExt', question)
  const domain = resourceDomain(resource) ?? ''
  return html`<section aria-labelledby="answer"><h2 id="answer">${granted ? badge('allowed', 'good') : badge('not allowed', 'bad')}
${principal} ${granted ? 'may' : 'may not'} ${action} ${resource}</h2>
<p>Why is told to ${principal}, and to the administrators of the domain ${link(`/domain/${encodeURIComponent(domain)}`, domain)}.</p></section>`
}

async function holders(request: PageRequest, action: string, resource: string): Promise<Content> {
  const domainName = resourceDomain(resource)
  if (domainName === undefined) return undefined
  const { query, pageSize, zms } = request
  const skip = query.text('skip')
  const asked = { domainName, action, resource, limit: pageSize }
  const after = skip !== undefined && /^\d{1,15}$/.test(skip) ? { skip: Number(skip) } : {}
  const { list, total, next } = await zms.call('searchHolders', { ...asked, ...after })
  return html`<section aria-labelledby="who"><h2 id="who">Who may ${action} ${resource}</h2>
${table({
  caption: `${counted(total, 'assertion')} about it; a DENY wins over every ALLOW`,
  head: ['Effect', 'Roles', 'Members', 'Policy'],
  rows: list.map((each) => [
    effectBadge(each.effect),
    roleLink(each.role),
    rolesOf(each),
    policyLink(domainName, each.policy),
  ]),
  empty: 'No assertion of its domain is about it, so nobody may.',
})}${pager(request, next === undefined ? undefined : String(next))}</section>`
}

function rolesOf({ roles, roleCount, conditions }: ResourceHolders['list'][number]): Content {
  if (roleCount === 0) return badge('there is no such role', 'warn')
  return [
    roles.map((each) => html`<div>${roleCount > 1 && [roleLink(each.role), ': ']}${reachText(each)}</div>`),
    roleCount > roles.length && html`<div>and ${roleCount - roles.length} more roles</div>`,
    conditions === true && html`<div>${badge('under conditions', 'warn')}</div>`,
  ]
}

async function rights(request: PageRequest, principal: string, action: string | undefined): Promise<Content> {
  const { query, pageSize, zms } = request
  const { resources } = await zms.call('getResourceAccessList', { principal, ...(action !== undefined && { action }) })
  const all = resources.flatMap(({ assertions }) => assertions)
  const from = Math.max(0, Math.trunc(Number(query.text('skip') ?? 0)) || 0)
  const next = from + pageSize < all.length ? String(from + pageSize) : undefined
  return html`<section aria-labelledby="what"><h2 id="what">What ${principal} may do</h2>
${table({
  caption: `${counted(all.length, 'assertion')} about roles of ${principal}, in all domains and versions`,
  head: ['Effect', 'Action', 'Resource', 'Role', ''],
  rows: all
    .slice(from, from + pageSize)
    .map((each) => [
      effectBadge(each.effect),
      html`<code>${each.action}</code>`,
      html`<code>${each.resource}</code>`,
      roleLink(each.role),
      !/[*?]/.test(each.action + each.resource) &&
        link(withQuery('/access', { principal, action: each.action, resource: each.resource }), 'Why'),
    ]),
  empty: `No role of ${principal} is named by an assertion.`,
})}${pager(request, next)}</section>`
}
