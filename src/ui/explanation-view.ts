import { splitResourceName } from '#core/names/resource-name.ts'
import type { AccessExplanation } from '#zms/api/access-explanation.ts'
import { memberPath } from './collection-view.ts'
import { auditField, badge, definitions, link, postForm, table, time } from './components.ts'
import { type Content, type Html, html, path } from './html.ts'
import { sectionPath } from './layout.ts'
import type { PageRequest } from './page.ts'
import { effectBadge, newAssertionPath, policyLink, policyPath, roleLink } from './policy-view.ts'

type Told = AccessExplanation
type Role = Told['roles'][number]
type Lapse = NonNullable<Role['lapses']>[number]
type Assertion = Told['assertions'][number]
type Remedy = Told['remedies'][number]
type Change = Remedy['changes'][number]

const ADMIN = 'admin'

const REFUSALS = new Map([
  ['domain-disabled', 'the domain is disabled'],
  ['mtls-restricted', 'the certificate may only authenticate'],
  ['trust-domain-with-roles', 'a credential that names roles cannot be used with a trust domain'],
  ['role-of-other-domain', 'the credential names a role of another domain'],
])

const MISSES = new Map([
  ['version', 'the version is not active'],
  ['action', 'it is about another action'],
  ['resource', 'it is about another resource'],
  ['role', 'the role is not held'],
])

/** Why somebody may or may not do something, and what would change it, with forms that do it. */
export function explanationView(request: PageRequest, told: Told): Html {
  const { outcome, refusal, decidedBy, roles, moreRoles, assertions, moreAssertions, nearestMisses, remedies } = told
  return html`<section aria-labelledby="answer"><h2 id="answer">${
    outcome === 'allow' ? badge('allowed', 'good') : badge('not allowed', 'bad')
  } ${told.principal} ${outcome === 'allow' ? 'may' : 'may not'} ${told.action} ${told.resource}</h2>
<p>${reasonText(told)}</p>
${decidedBy && assertionTable('What decides it', told, [decidedBy])}
${refusal !== undefined && html`<p>${REFUSALS.get(refusal) ?? refusal}</p>`}</section>
${
  remedies.length > 0 &&
  html`<section aria-labelledby="remedies"><h2 id="remedies">What would make it pass</h2><p>Any of these is enough; the smallest change comes first.</p>
<ol>${remedies.map((remedy, index) => remedyItem(request, told, remedy, index))}</ol></section>`
}
<section aria-labelledby="roles"><h2 id="roles">Roles of ${told.domain}</h2>${table({
    caption: `What ${told.principal} holds, and what it does not hold any more or not yet`,
    head: ['Role', 'Held', 'How'],
    rows: roles.map((role) => [
      roleLink(role.role),
      role.held ? badge('held', 'good') : badge('not held', 'bad'),
      role.held ? howText(role) : (role.lapses ?? []).map(lapseLine),
    ]),
    empty: `${told.principal} holds no role of the domain ${told.domain}.`,
  })}${moreRoles !== undefined && html`<p>and ${moreRoles} more</p>`}</section>
${
  nearestMisses.length > 0 &&
  html`<section aria-labelledby="nearest"><h2 id="nearest">What came nearest</h2>${assertionTable('Assertions that lack least', told, nearestMisses)}</section>`
}
<details><summary>All that was looked at</summary>
${definitions([
  ['Question', told.summary],
  ['Asked by', callerText(told)],
  ['Domain changed', time(told.modified)],
  ['Trust domain', told.trustDomain],
])}
${assertionTable('Assertions', told, assertions)}${moreAssertions !== undefined && html`<p>and ${moreAssertions} more</p>`}</details>`
}

function reasonText({ outcome, decidedBy, refusal, domain }: Told): Content {
  if (refusal !== undefined) return 'It is refused before any policy is looked at.'
  if (decidedBy === undefined)
    return `No assertion of the domain ${domain} grants it, and what is not granted is not allowed.`
  const through = decidedBy.through === undefined ? '' : html` through the role ${roleLink(decidedBy.through)}`
  return outcome === 'allow'
    ? html`An assertion grants it${through}.`
    : html`A DENY forbids it${through}; it wins over all that allow it.`
}

const callerText = ({ caller, principal }: Told): string => {
  const { roles = [], moreRoles = 0 } = caller
  const named = roles.length > 0 ? `, with a credential that names ${roles.join(', ')}${moreRoles > 0 ? ' …' : ''}` : ''
  return `${caller.principal === principal ? 'itself' : caller.principal} (${caller.credential})${named}`
}

function howText({ via, member, group, trustRole, expiration }: Role): Content {
  const through = [
    trustRole !== undefined && html`delegated, assumed by ${roleLink(trustRole)} `,
    group !== undefined && html`through ${groupLink(group)} `,
    via === 'credential' && 'named by the credential ',
    member !== undefined && `as ${member} `,
    expiration !== undefined && html`until ${time(expiration)}`,
  ]
  return through
}

function lapseLine({ state, member, group, expiration, disabledBy, requestedBy }: Lapse): Html {
  const where = group === undefined ? '' : html` in ${groupLink(group)}`
  if (state === 'pending') {
    return html`<div>${badge('waiting', 'warn')} ${member}${where} awaits a decision${requestedBy && ` (asked for by ${requestedBy})`}</div>`
  }
  if (state === 'disabled') {
    return html`<div>${badge('disabled', 'bad')} ${member}${where}, by ${(disabledBy ?? []).join(', ')}</div>`
  }
  return html`<div>${badge('expired', 'bad')} ${member}${where} ${time(expiration)}</div>`
}

function groupLink(fullName: string): Content {
  const group = splitResourceName('group', fullName)
  return group === undefined ? fullName : link(path`/domain/${group.domain}/group/${group.name}`, fullName)
}

const assertionTable = (caption: string, { domain }: Told, assertions: readonly Assertion[]): Html =>
  table({
    caption,
    head: ['Policy', 'Effect', 'Roles', 'Action', 'Resource', 'What of it does not fit'],
    rows: assertions.map((each) => [
      [
        policyLink(domain, each.policy, each.active ? undefined : each.version),
        !each.active && [' ', badge(`version ${each.version ?? ''}`)],
      ],
      effectBadge(each.effect),
      roleLink(each.role),
      html`<code>${each.action}</code>`,
      html`<code>${each.resource}</code>`,
      missText(each),
    ]),
    empty: 'There are no assertions.',
  })

function missText({ misses, standing, conditions }: Assertion): Content {
  const texts = misses.map((miss) =>
    miss === 'role' && standing === 'unknown'
      ? 'the domain has no such role'
      : miss === 'role' && standing === 'lapsed'
        ? 'the role is not held any more or not yet'
        : (MISSES.get(miss) ?? miss),
  )
  return [
    texts.length === 0 ? badge('applies', 'good') : texts.join('; '),
    conditions === true && '; it has conditions that ZMS does not look at',
  ]
}

const remedyItem = (request: PageRequest, told: Told, { text, changes }: Remedy, index: number): Html =>
  html`<li><p>${text}</p>${changes.map((change, at) => html`<div>${changeForm(request, told, change, `${index}-${at}`)}</div>`)}</li>`

/** The form that makes a change, or the way to the page where it is made. */
function changeForm(request: PageRequest, told: Told, change: Change, id: string): Content {
  const { kind, role, member = told.principal } = change
  const reason = auditField(request, false, `reason-${id}`)
  switch (kind) {
    case 'add-member':
    case 'remove-member': {
      const adds = kind === 'add-member'
      return postForm(
        request,
        {
          action: adds ? 'addMember' : 'removeMember',
          submit: `${adds ? 'Add' : 'Remove'} ${member}`,
          label: `${adds ? 'Add' : 'Remove'} ${member} ${adds ? 'to' : 'from'} ${role}`,
          inline: true,
          danger: !adds,
        },
        html`<input type="hidden" name="role" value="${role}"><input type="hidden" name="member" value="${member}">`,
        reason,
      )
    }
    case 'renew-member':
      return memberLink('Renew', change, member)
    case 'enable-member':
      return memberLink('Look at', change, member)
    case 'approve-member':
      return memberLink('Decide about', change, member)
    case 'create-role':
      return link(sectionPath(told.domain, 'roles'), `Roles of ${told.domain}`)
    case 'add-assertion':
      return additionLink(told, role)
    case 'remove-assertion':
    case 'activate-version':
      return policyForm(request, told, change, reason)
    default:
      return undefined
  }
}

/** The way to an entry of a role or group, where it is changed. */
function memberLink(verb: string, { role = '', group }: Change, member: string): Content {
  const [kind, fullName] = group === undefined ? (['role', role] as const) : (['group', group] as const)
  const place = splitResourceName(kind, fullName)
  const text = `${verb} ${member} in ${fullName}`
  return place === undefined
    ? text
    : link(memberPath({ kind }, { domainName: place.domain, name: place.name }, member), text)
}

/** A new assertion is written into the policy that came nearest, as it is likely to be about such things. */
function additionLink({ domain, action, resource, nearestMisses }: Told, role: string | undefined): Content {
  const near = nearestMisses.find(({ policy, active }) => active && policy !== ADMIN)?.policy
  if (near === undefined) return link(sectionPath(domain, 'policies'), `Policies of ${domain}`)
  const to = newAssertionPath({ domainName: domain, policyName: near }, { role, assertedAction: action, resource })
  return link(to, `Write it into the policy ${near}`)
}

function policyForm(request: PageRequest, { domain }: Told, change: Change, reason: Html): Content {
  const { kind, policy: policyName = '', version = '', assertion } = change
  const place = { domainName: domain, policyName }
  const isRemoval = kind === 'remove-assertion'
  const form = {
    to: policyPath(place),
    action: isRemoval ? 'removeAssertion' : 'activate',
    submit: isRemoval ? `Remove it from ${policyName}` : `Activate version ${version}`,
    inline: true,
    danger: isRemoval,
  }
  const hidden = html`<input type="hidden" name="version" value="${version}">${
    assertion !== undefined && html`<input type="hidden" name="assertion" value="${assertion}">`
  }`
  return [policyLink(domain, policyName), ' ', postForm(request, form, hidden, reason)]
}
