import type { AssertionPreview, RoleReach, StatedAssertion } from '#zms/api/access-search.ts'
import { badge, link, table } from './components.ts'
import { counted } from './counted.ts'
import { type Content, type Html, html } from './html.ts'
import { assertionPath, effectBadge, policyLink, roleLink } from './policy-view.ts'

/** What an assertion would do: for whom, with what, and beside which others. */
export function assertionPreview(domainName: string, preview: AssertionPreview): Html {
  const { effect, action, resource, coveredBy, coveredByCount, opposed, opposedCount } = preview
  const grants = effect !== 'DENY'
  return html`<p>${effectBadge(effect)} <code>${action}</code> on <code>${resource}</code> for ${roleLink(preview.role)}</p>
${reachTable(preview, grants)}
${touchedList(preview)}
${
  coveredByCount > 0 &&
  html`<h3>${badge('said already', 'warn')} by ${counted(coveredByCount, 'assertion')}: this one changes nothing as long as that stays so</h3>
${statedTable('Assertions that say it already', domainName, coveredBy)}`
}
${
  opposedCount > 0 &&
  html`<h3>${badge(grants ? 'overruled' : 'overrules', 'bad')} ${opposedHead(preview)}</h3>
${statedTable('A DENY wins over every ALLOW', domainName, opposed, ({ wholly, commonMembers }) =>
  wholly ? 'all of it' : `a part of it, or of the people: ${commonMembers} members hold both roles`,
)}`
}`
}

const opposedHead = ({ effect, opposedCount }: AssertionPreview): string =>
  effect === 'DENY'
    ? `It takes away something that is granted by ${counted(opposedCount, 'assertion')}`
    : `wholly or in part by ${counted(opposedCount, 'DENY assertion')}`

function reachTable({ roles, roleCount }: AssertionPreview, grants: boolean): Content {
  if (roleCount === 0) {
    return html`<p>${badge('nobody', 'warn')} The domain has no such role yet, so it does nothing until there is one.</p>`
  }
  return table({
    caption: `${counted(roleCount, 'role')}, whose members ${grants ? 'may then do it' : 'must not do it any more'}`,
    head: ['Role', 'Members', ''],
    rows: roles.map((each) => [roleLink(each.role), each.trust === undefined ? each.memberCount : '', reachText(each)]),
    empty: '',
  })
}

/** The first members of a role, or who decides about them. */
export const reachText = ({ trust, memberCount, members }: RoleReach): Content => {
  if (trust !== undefined) return `delegated: the domain ${trust} says who holds it`
  if (memberCount === 0) return badge('nobody', 'warn')
  return `${members.join(', ')}${memberCount > members.length ? ` and ${memberCount - members.length} more` : ''}`
}

function touchedList({ touched }: AssertionPreview): Content {
  if (touched.length === 0) return html`<p>Nothing that ZMS knows has such a name; services may.</p>`
  return table({
    caption: 'What it touches, as far as ZMS knows: objects of the domain, and resources that other assertions name',
    head: ['Kind', 'How many', 'Names'],
    rows: touched.map(({ kind, count, names }) => [
      kind,
      count,
      `${names.join(', ')}${count > names.length ? ' …' : ''}`,
    ]),
    empty: '',
  })
}

/** Assertions with links to their policies. */
export function statedTable<A extends StatedAssertion>(
  caption: string,
  domainName: string,
  assertions: readonly A[],
  remark?: (assertion: A) => Content,
): Html {
  return table({
    caption,
    head: ['Policy', 'Effect', 'Roles', 'Action', 'Resource', ...(remark ? ['Which'] : [])],
    rows: assertions.map((each) => [
      policyLink(domainName, each.policy),
      effectBadge(each.effect),
      roleLink(each.role),
      html`<code>${each.action}</code>`,
      [html`<code>${each.resource}</code>`, conditionsLink(domainName, each)],
      ...(remark ? [remark(each)] : []),
    ]),
    empty: 'None.',
  })
}

const conditionsLink = (domainName: string, { conditions, policy, version, id = 0 }: StatedAssertion): Content =>
  conditions === true && [' ', link(assertionPath({ domainName, policyName: policy }, version, id), 'under conditions')]
