import type { ServiceIdentity } from '#zms/api/service-identity.ts'
import {
  auditField,
  badge,
  definitions,
  link,
  passwordField,
  postForm,
  table,
  textArea,
  textField,
  time,
} from '../components.ts'
import { counted } from '../counted.ts'
import { askedFirst, disclosure } from '../disclosure.ts'
import { type Content, type Html, html, path, withQuery } from '../html.ts'
import { definePage, FormProblem, type Outcome, type PageRequest } from '../page.ts'
import { certificateSection, launchQuestion } from '../service-commands.ts'
import { describeKey, keyToRegister, registeredPem } from '../service-keys.ts'
import { changeService } from '../service-write.ts'
import { changedSettings, requireUnchanged, type Setting, settingFields } from '../settings-form.ts'
import { tagTexts } from '../tag-texts.ts'
import { undoBy } from '../undo.ts'

type Names = 'domainName' | 'serviceName'
type Request = PageRequest<Names>

/** The settings that administrators of the domain may change. */
const SETTINGS: readonly Setting[] = [
  { name: 'description', label: 'Description', kind: 'text' },
  { name: 'executable', label: 'Executable', kind: 'text' },
  { name: 'user', label: 'Unix user', kind: 'text' },
  { name: 'group', label: 'Unix group', kind: 'text' },
]
/** The one that operators may change. */
const ENDPOINT: readonly Setting[] = [
  {
    name: 'providerEndpoint',
    label: 'Provider endpoint',
    kind: 'text',
    hint: 'Where ZTS asks whether an instance is genuine, for services that vouch for instances. Left empty, there is none.',
  },
]

/** A service: its keys, hosts and settings, and how it gets a certificate. */
export const servicePage = definePage({
  path: '/domain/:domainName/service/:serviceName',
  async load(request) {
    const { zms, params } = request
    const { domainName, serviceName } = params
    const [read, { auditEnabled = false }, launchers] = await Promise.all([
      zms.call('getServiceIdentity', placeOf(params)),
      zms.call('getDomain', { domain: domainName }),
      zms.call('searchHolders', launchQuestion(params)),
    ])
    const service = { ...read, publicKeys: (read.publicKeys ?? []).toSorted((a, b) => (a.id < b.id ? -1 : 1)) }
    const content = html`
${definitions([
  ['Full name', html`<code>${service.name}</code>`],
  ['Description', service.description],
  ['Provider endpoint', service.providerEndpoint],
  ['Executable', service.executable],
  ['Unix user', service.user],
  ['Unix group', service.group],
  ['Client id', service.clientId],
  ['Key that signs its certificates', service.x509CertSignerKeyId],
  ['Key that signs its SSH certificates', service.sshCertSignerKeyId],
  ['Tags', tagTexts(service.tags)],
  ['Changed', time(service.modified)],
])}
<section aria-labelledby="keys"><h2 id="keys">Public keys</h2>${keyTable(request, service, auditEnabled)}
${disclosure(request, { summary: 'Add a key', actions: ['addKey'] }, keyForm(request, auditEnabled))}</section>
<section aria-labelledby="certificate"><h2 id="certificate">Get a certificate</h2>${certificateSection(params, service, request.issuing, launchers)}</section>
<section aria-labelledby="hosts"><h2 id="hosts">Hosts</h2>${hostTable(request, service, auditEnabled)}</section>
<section aria-labelledby="change"><h2 id="change">Change</h2>
${disclosure(request, { summary: 'Settings', actions: ['change'] }, settingsForm(request, service, auditEnabled))}
${disclosure(request, { summary: 'Provider endpoint (for operators)', actions: ['endpoint'] }, endpointForm(request, service, auditEnabled))}
${disclosure(request, { summary: 'Credential', actions: ['credential', 'removeCredential'] }, credentialForm(request, auditEnabled))}
<p>${link(path`/domain/${domainName}/service/${serviceName}/delete`, 'Delete this service')}</p></section>`
    return {
      title: service.name,
      domain: domainName,
      section: 'services',
      content,
      commands: [
        ['service', 'get', domainName, serviceName],
        ['service', 'add-key', domainName, serviceName, 'KEY-ID', 'PUBLIC-KEY-FILE'],
        ['service', 'remove-key', domainName, serviceName, 'KEY-ID'],
        ['service', 'delete', domainName, serviceName],
      ],
    }
  },
  actions: {
    async addKey({ zms, params, form }) {
      const id = form.text('keyId')?.toLowerCase()
      if (id === undefined) throw new FormProblem('A key needs an id, such as 0 or 2030-01.', 'keyId')
      const key = keyToRegister(form.text('key') ?? '', 'key')
      if ((await zms.find('getPublicKeyEntry', { ...placeOf(params), id })) !== undefined) {
        throw new FormProblem(`There is a key ${id} already. Take another id, or remove that key first.`, 'keyId')
      }
      const auditRef = form.text('auditRef')
      await zms.call('putPublicKeyEntry', { ...placeOf(params), id, body: { id, key }, auditRef })
      return outcome(params, `The key ${id} has been added.`, 'removeKey', { keyId: id, auditRef })
    },

    async removeKey({ zms, params, form }) {
      const id = form.text('keyId') ?? ''
      const auditRef = form.text('auditRef')
      const { key } = await zms.call('getPublicKeyEntry', { ...placeOf(params), id })
      await zms.call('deletePublicKeyEntry', { ...placeOf(params), id, auditRef })
      const pem = registeredPem(key)
      const notice = `The key ${id} has been removed. What is signed with it is not accepted any more.`
      if (pem === undefined) return outcome(params, notice)
      return outcome(params, notice, 'addKey', { keyId: id, key: pem, auditRef })
    },

    async addHosts({ zms, params, form }) {
      const added = (form.text('newHosts') ?? '')
        .toLowerCase()
        .split(/[\s,]+/)
        .filter((host) => host !== '')
      if (added.length === 0) throw new FormProblem('Write the name of a host.', 'newHosts')
      await changeService(zms, placeOf(params), form.text('auditRef'), ({ hosts = [] }) => ({
        hosts: [...new Set([...hosts, ...added])],
      }))
      return outcome(params, `${added.join(', ')} has been added to the hosts.`)
    },

    async removeHost({ zms, params, form }) {
      const host = form.text('host') ?? ''
      const auditRef = form.text('auditRef')
      await changeService(zms, placeOf(params), auditRef, ({ hosts = [] }) => ({
        hosts: hosts.filter((each) => each !== host),
      }))
      return outcome(params, `${host} has been taken out of the hosts.`, 'addHosts', { newHosts: host, auditRef })
    },

    async change({ zms, params, form }) {
      const auditRef = form.text('auditRef')
      const changes = changedSettings(form, SETTINGS)
      if (changes.count === 0) return outcome(params, 'Nothing was changed.')
      await changeService(zms, placeOf(params), auditRef, (service) => {
        requireUnchanged(form, changes, SETTINGS, service)
        return changes.values
      })
      return outcome(params, 'The settings have been changed.', 'change', { ...changes.undo, auditRef })
    },

    async endpoint({ zms, params, form }) {
      const auditRef = form.text('auditRef')
      const changes = changedSettings(form, ENDPOINT)
      if (changes.count === 0) return outcome(params, 'Nothing was changed.')
      requireUnchanged(form, changes, ENDPOINT, await zms.call('getServiceIdentity', placeOf(params)))
      await zms.call('putServiceIdentitySystemMeta', {
        ...placeOf(params),
        attribute: 'providerendpoint',
        body: changes.values,
        auditRef,
      })
      return outcome(params, 'The provider endpoint has been changed.', 'endpoint', { ...changes.undo, auditRef })
    },

    async credential({ zms, params, form }) {
      const value = form.exact('credential')
      if (!value) throw new FormProblem('Write the credential.', 'credential')
      await zms.call('putServiceCredsEntry', { ...placeOf(params), body: { value }, auditRef: form.text('auditRef') })
      return outcome(params, 'The credential has been set.')
    },

    async removeCredential({ zms, params, form }) {
      const auditRef = form.text('auditRef')
      await zms.call('putServiceCredsEntry', { ...placeOf(params), body: { value: '' }, auditRef })
      return outcome(params, 'The credential has been removed.')
    },
  },
})

const placeOf = ({ domainName, serviceName }: Request['params']) => ({ domain: domainName, service: serviceName })

const pageOf = ({ domainName, serviceName }: Request['params']): string =>
  path`/domain/${domainName}/service/${serviceName}`

function outcome(
  params: Request['params'],
  notice: string,
  action?: string,
  fields: Readonly<Record<string, string | undefined>> = {},
): Outcome {
  return { to: pageOf(params), notice, ...(action !== undefined && { undo: undoBy(pageOf(params), action, fields) }) }
}

function keyTable(request: Request, { publicKeys = [] }: ServiceIdentity, audited: boolean): Html {
  const { shown, more } = part(request, 'keysFrom', publicKeys)
  return html`${table({
    caption: `${counted(publicKeys.length, 'key')} with which the service shows who it is`,
    head: ['Id', 'Kind', 'Fingerprint', ''],
    rows: shown.map(({ id, key }, index) => {
      const known = describeKey(key)
      return [
        id,
        known === undefined ? badge('cannot be used', 'bad') : known.kind,
        known && html`<code>${known.fingerprint}</code>`,
        postForm(
          request,
          { action: 'removeKey', submit: 'Remove', danger: true, inline: true, label: `Remove the key ${id}` },
          html`<input type="hidden" name="keyId" value="${id}">`,
          audited && auditField(request, true, `remove-key-${index}`),
        ),
      ]
    }),
    empty: 'The service has no keys, so it cannot show who it is.',
  })}${more}`
}

const keyForm = (request: Request, audited: boolean): Html =>
  postForm(
    request,
    { action: 'addKey', submit: 'Add the key' },
    textField(request, {
      name: 'keyId',
      label: 'Id of the key',
      required: true,
      hint: 'Chosen by you; what the service signs names it.',
    }),
    textArea(request, {
      name: 'key',
      label: 'Public key',
      rows: 8,
      required: true,
      hint: 'PEM, with the lines BEGIN and END: a public key or a certificate; RSA with 2048 bits or more, P-256, P-384 or P-521.',
    }),
    auditField(request, audited, 'add-key-reason'),
  )

function hostTable(request: Request, { hosts = [] }: ServiceIdentity, audited: boolean): Html {
  const { shown, more } = part(request, 'hostsFrom', hosts.toSorted())
  return html`${table({
    caption: `${counted(hosts.length, 'host')} on which the service runs`,
    head: ['Host', ''],
    rows: shown.map((host, index) => [
      host,
      postForm(
        request,
        { action: 'removeHost', submit: 'Remove', danger: true, inline: true, label: `Remove the host ${host}` },
        html`<input type="hidden" name="host" value="${host}">`,
        audited && auditField(request, true, `remove-host-${index}`),
      ),
    ]),
    empty: 'No hosts are known.',
  })}${more}
${disclosure(
  request,
  { summary: 'Add hosts', actions: ['addHosts'] },
  postForm(
    request,
    { action: 'addHosts', submit: 'Add the hosts' },
    textArea(request, { name: 'newHosts', label: 'Names of hosts', required: true, hint: 'One on each line.' }),
    auditField(request, audited, 'add-hosts-reason'),
  ),
)}`
}

const settingsForm = (request: Request, service: ServiceIdentity, audited: boolean): Html =>
  postForm(
    request,
    { action: 'change', submit: 'Save the settings' },
    settingFields(request, SETTINGS, service),
    auditField(request, audited, 'change-reason'),
  )

const endpointForm = (request: Request, service: ServiceIdentity, audited: boolean): Html =>
  postForm(
    request,
    { action: 'endpoint', submit: 'Save the endpoint' },
    settingFields(request, ENDPOINT, service),
    auditField(request, audited, 'endpoint-reason'),
  )

/** What was written is never shown again. */
const credentialForm = (request: Request, audited: boolean): Html =>
  html`${postForm(
    request,
    { action: 'credential', submit: 'Save the credential' },
    passwordField('credential', 'Credential', 'Nobody can read it here again. It replaces the one that is there.'),
    auditField(request, audited, 'credential-reason'),
  )}${askedFirst(
    request,
    {
      action: 'removeCredential',
      ask: 'Remove the credential',
      question: 'This cannot be undone: nobody can read the credential here.',
      submit: 'Remove it',
    },
    audited && auditField(request, true, 'remove-credential-reason'),
  )}`

/** One page of a list that came as a whole, and the link to the next one. */
function part<T>(request: Request, name: string, list: readonly T[]): { readonly shown: readonly T[]; more: Content } {
  const { query, pageSize, params } = request
  const from = Math.max(0, Math.trunc(Number(query.text(name) ?? 0)) || 0)
  const kept = Object.fromEntries(query.without([name]))
  const to = (start: number): string => withQuery(pageOf(params), { ...kept, [name]: start === 0 ? undefined : start })
  const more =
    list.length > pageSize &&
    html`<nav class="pager" aria-label="Pages of the list">${from > 0 && html`<a href="${to(Math.max(0, from - pageSize))}">Previous</a>`}${
      from + pageSize < list.length && html`<a href="${to(from + pageSize)}" rel="next">Next</a>`
    }</nav>`
  return { shown: list.slice(from, from + pageSize), more }
}
