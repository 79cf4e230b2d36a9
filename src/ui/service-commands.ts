import type { ResourceHolders } from '#zms/api/access-search.ts'
import type { ServiceIdentity } from '#zms/api/service-identity.ts'
import { reachText } from './assertion-preview.ts'
import { table } from './components.ts'
import { type Content, type Html, html } from './html.ts'
import { commandLine } from './layout.ts'
import type { Issuing } from './page.ts'
import { effectBadge, policyLink, roleLink } from './policy-view.ts'

/** A service by its names. */
interface ServicePlace {
  readonly domainName: string
  readonly serviceName: string
}

/** The question to ZMS who may launch instances of a service, as providers do. */
export const launchQuestion = ({ domainName, serviceName }: ServicePlace) => ({
  domainName,
  action: 'launch',
  resource: `${domainName}:service.${serviceName}`,
})

/** How a service gets certificates: with a key of its own, or as an instance that a provider vouches for. */
export const certificateSection = (
  place: ServicePlace,
  service: Pick<ServiceIdentity, 'publicKeys'>,
  issuing: Issuing,
  launchers: ResourceHolders,
): Html => html`${certificateLines(place, service, issuing)}
<h3>By a provider</h3>
<p>A provider, such as the one of a cloud, vouches for instances of services that it may launch. ZTS must know it besides.</p>
${launcherTable(place, launchers)}`

function certificateLines(
  { domainName, serviceName }: ServicePlace,
  { publicKeys = [] }: Pick<ServiceIdentity, 'publicKeys'>,
  { ztsUrl, ztsCaFile, dnsSuffix }: Issuing,
): Html {
  const keyFile = `${serviceName}.key.pem`
  const zts = ztsUrl ?? 'https://ZTS-HOST:8443/zts/v1'
  const keyId = publicKeys[0]?.id ?? 'KEY-ID'
  const dnsDomain = dnsSuffix ?? 'DNS-SUFFIX'
  const isOpen = ztsUrl === undefined || dnsSuffix === undefined || publicKeys.length === 0
  const once = Object.entries({
    '-zts': zts,
    ...(ztsCaFile !== undefined && { '-cacert': ztsCaFile }),
    '-domain': domainName,
    '-service': serviceName,
    '-private-key': keyFile,
    '-key-version': keyId,
    '-dns-domain': dnsDomain,
    '-cert-file': `${serviceName}.cert.pem`,
  })
  const renewed = Object.entries({
    '--zts': zts,
    ...(ztsCaFile !== undefined && { '--ca-file': ztsCaFile }),
    '--domain': domainName,
    '--service': serviceName,
    '--key-file': keyFile,
    '--key-id': keyId,
    '--dns-domain': dnsDomain,
    '--folder': `${serviceName}.sia`,
  })
  return html`<p>On the machine of the service, with the private key of a key above${isOpen && '; what is in capitals is still to be known'}.
A click on a line marks it to be copied.</p>
<h3>A key, and its public half to be added here</h3>
${copied(`openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ${keyFile}`)}
${copied(`openssl pkey -in ${keyFile} -pubout`)}
<h3>A certificate, once</h3>${copied(commandLine(once.flat(), 'bin/zts-svccert'))}
<h3>A certificate that is kept renewed</h3>${copied(commandLine(['sia', ...renewed.flat()]))}`
}

/** A line that is marked as a whole. */
const copied = (line: string): Html => html`<pre class="copied" tabindex="0">${line}</pre>`

function launcherTable({ domainName, serviceName }: ServicePlace, { list, next }: ResourceHolders): Content {
  // The administrators may do everything in their domain; that makes no provider of them.
  const launchers = list.filter(({ policy }) => policy !== 'admin')
  const role = `${serviceName}-providers`
  return [
    table({
      caption: 'Who may launch it',
      head: ['Effect', 'Roles', 'Members', 'Policy'],
      rows: launchers.map((each) => [
        effectBadge(each.effect),
        roleLink(each.role),
        each.roles.map((reached) => html`<div>${reachText(reached)}</div>`),
        policyLink(domainName, each.policy),
      ]),
      empty: 'No provider may launch it.',
    }),
    next !== undefined && html`<p>There are more.</p>`,
    launchers.length === 0 &&
      html`<p>These let one do it:</p>
${copied(commandLine(['role', 'create', domainName, role, '--member', 'PROVIDER-SERVICE']))}
${copied(commandLine(['policy', 'create', domainName, role, `grant launch to ${role} on service.${serviceName}`]))}`,
  ]
}
