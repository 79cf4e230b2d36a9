import type { Domain } from '#zms/api/domain.ts'
import type { Stats } from '#zms/api/domain-check.ts'
import { badge, definitions, link, table, time } from '../components.ts'
import { type Content, html, path } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage } from '../page.ts'
import { DOMAIN_SETTINGS, settingTexts } from './domain-settings.ts'

/** Settings that belong to the operators: shown, and changed on the command line. */
const SYSTEM_SETTINGS: readonly (readonly [name: keyof Domain, label: string])[] = [
  ['account', 'AWS account'],
  ['azureSubscription', 'Azure subscription'],
  ['gcpProject', 'Google project'],
  ['productId', 'Product'],
  ['ypmId', 'Product number'],
  ['org', 'Organization'],
  ['businessService', 'Business service'],
  ['costCenter', 'Cost center'],
  ['certDnsDomain', 'DNS domain of certificates'],
  ['userAuthorityFilter', 'Members need'],
]

/** A domain: its settings, and how much there is in it. */
export const domainPage = definePage({
  path: '/domain/:domainName',
  async load({ zms, params, pageSize, query }) {
    const { domainName } = params
    const prefix = `${domainName}.`
    const skip = query.text('skip')
    const [domain, stats, below] = await Promise.all([
      zms.call('getDomain', { domain: domainName }),
      zms.call('getStats', { name: domainName }),
      zms.call('getDomainList', { prefix, limit: pageSize, ...(skip !== undefined && { skip }) }),
    ])
    const { names } = below
    const texts = settingTexts(domain)
    const content = html`
${domain.description && html`<p>${domain.description}</p>`}
<p>${badges(domain)}</p>
<p>${holdings(domainName, stats)}</p>
<section aria-labelledby="settings"><h2 id="settings">Settings</h2>
${definitions([
  ...DOMAIN_SETTINGS.filter(({ name }) => name !== 'description').map(({ name, label, kind }): [Content, Content] => [
    label,
    shown(texts[name], kind === 'lines'),
  ]),
  ...SYSTEM_SETTINGS.map(([name, label]): [Content, Content] => [label, shown(domain[name], false)]),
  ['Last change', time(domain.modified)],
])}
<p><a href="${path`/domain/${domainName}/settings`}">Change the settings and tags</a></p></section>
<section aria-labelledby="below"><h2 id="below">Domains below</h2>
${table({
  caption: `Domains below ${domainName}`,
  head: ['Domain'],
  rows: (names ?? []).map((name) => [link(sectionPath(name, ''), name)]),
  empty: 'There are none.',
})}
${below.next !== undefined && html`<p><a href="${path`/domain/${domainName}`}?skip=${encodeURIComponent(below.next)}" rel="next">Next page</a></p>`}
<p><a href="/new-domain?parent=${encodeURIComponent(domainName)}">Create a domain below this one</a></p></section>
<p><a href="${path`/domain/${domainName}/delete`}">Delete this domain</a></p>`
    return { title: domainName, domain: domainName, content, commands: [['domain', 'get', domainName]] }
  },
})

const badges = ({ enabled, auditEnabled }: Domain): Content => [
  enabled === false ? badge('disabled', 'bad') : badge('enabled', 'good'),
  auditEnabled === true && html` ${badge('audited', 'warn')}`,
]

const holdings = (domain: string, { role, group, policy, service }: Stats): Content => html`
<a href="${sectionPath(domain, 'roles')}">${counted(role, 'role')}</a>,
<a href="${sectionPath(domain, 'groups')}">${counted(group, 'group')}</a>,
<a href="${sectionPath(domain, 'policies')}">${counted(policy, 'policy', 'policies')}</a>,
<a href="${sectionPath(domain, 'services')}">${counted(service, 'service')}</a>`

const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`

const shown = (value: unknown, isLines: boolean): Content => {
  if (value === true) return 'yes'
  if (typeof value === 'number') return value === 0 ? undefined : value
  if (typeof value !== 'string' || value === '') return undefined
  return isLines ? value.split('\n').map((line) => html`<div>${line}</div>`) : value
}
