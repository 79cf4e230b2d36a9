import type { OperationRequest } from '#client/operation.ts'
import {
  PublicKeyEntry,
  ServiceIdentities,
  ServiceIdentity,
  ServiceIdentityList,
  type serviceIdentityEndpoints,
} from '#zms/api/service-identity.ts'
import { refuseIfPresent } from './absence.ts'
import { readInt32, readOwners, readSwitch } from './argument-values.ts'
import { type Command, type CommandGroup, domainCommand, MANY } from './command.ts'
import { badSyntax } from './failure.ts'
import { indented, textOf } from './lines.ts'
import { blockText, objectListText } from './list-text.ts'
import { fullName } from './names.ts'
import { readPublicKey } from './public-key.ts'
import { done, message, plainText, type Result, shown } from './result.ts'
import { serviceLines } from './service-text.ts'
import type { Session } from './session.ts'
import { withoutTagValue, withTagValues } from './tag-values.ts'

type SystemMeta = OperationRequest<(typeof serviceIdentityEndpoints)['putServiceIdentitySystemMeta']>['body']

/** Services, their keys, hosts and settings. */
export const serviceCommands: CommandGroup = {
  title: 'Service',
  commands: [
    domainCommand(['list-service', '', 'Lists the services of a domain.'], [0, MANY], async (session, domain) => {
      const list = await session.call('getServiceIdentityList', { domainName: domain })
      return shown(list, ServiceIdentityList.wire, () =>
        objectListText('services', { domain, kind: 'service', names: list.names }, session.flags),
      )
    }),
    domainCommand(
      ['show-service', 'service', 'Shows a service with its keys and hosts.'],
      [1, 1],
      (session, domain, [service = '']) => showService(session, domain, service),
    ),
    domainCommand(
      ['show-services', '[tag_key] [tag_value]', 'Shows the services of a domain, or those with a tag.'],
      [0, 2],
      async (session, domainName, [tagKey, tagValue]) => {
        const tag = { ...(tagKey !== undefined && { tagKey }), ...(tagValue !== undefined && { tagValue }) }
        const found = await session.call('getServiceIdentities', { domainName, publickeys: true, hosts: true, ...tag })
        return shown(found, ServiceIdentities.wire, () =>
          textOf(indented(4, ['services:', ...indented(4, (found.list ?? []).flatMap(serviceLines))])),
        )
      },
    ),
    domainCommand(
      [
        'add-service',
        'service key_id identity_pubkey.pem|identity_key_ybase64',
        'Creates a service with a public key.',
      ],
      [1, 3],
      async (session, domain, [service = '', id, key]) => {
        if (id !== undefined && key === undefined) throw badSyntax('add-service')
        return addService(session, domain, service, await publicKeys(id, key))
      },
    ),
    domainCommand(
      [
        'add-provider-service',
        'service key_id identity_pubkey.pem|identity_key_ybase64',
        'Creates a service that may make tenants of domains by itself.',
      ],
      [3, 3],
      async (session, domain, [service = '', id = '', key = '']) => {
        await putNewService(session, domain, service, await publicKeys(id, key))
        await allowSelfService(session, domain, service)
        return showChanged(session, domain, service)
      },
    ),
    domainCommand(
      ['set-service-resource-ownership', 'service resource-owner', 'Sets who owns the parts of a service.'],
      [2, 2],
      async (session, domainName, [service = '', text = '']) => {
        const body = readOwners(text, {
          objectowner: 'objectOwner',
          publickeysowner: 'publicKeysOwner',
          hostsowner: 'hostsOwner',
        })
        await session.call('putResourceServiceIdentityOwnership', { domainName, service, body })
        return done(
          `[domain ${domainName} service ${service} service-resource-ownership attribute successfully updated]`,
        )
      },
    ),
    systemMeta('service-endpoint', 'endpoint', 'Sets the URL of a provider.', 'providerendpoint', (word) => ({
      providerEndpoint: word,
    })),
    systemMeta('client-id', 'client-id', 'Sets the client id of a service.', 'clientid', (word) => ({
      clientId: word,
    })),
    systemMeta(
      'x509-cert-signer-keyid',
      'keyid',
      'Sets which key signs certificates of a service.',
      'x509certsignerkeyid',
      (word) => ({
        x509CertSignerKeyId: word,
      }),
    ),
    systemMeta(
      'ssh-cert-signer-keyid',
      'keyid',
      'Sets which key signs SSH certificates of a service.',
      'sshcertsignerkeyid',
      (word) => ({
        sshCertSignerKeyId: word,
      }),
    ),
    systemMeta('feature-flags', 'flags', 'Sets the feature flags of a service.', 'featureflags', (word) => ({
      featureFlags: readInt32(word),
    })),
    domainCommand(
      ['set-service-exe', 'service executable user group', 'Sets the program of a service and as whom it runs.'],
      [4, 4],
      (session, domain, [service = '', executable = '', user = '', group = '']) =>
        changeService(session, domain, service, (present) => ({ ...present, executable, user, group })),
    ),
    domainCommand(
      ['set-service-creds', 'service credentials', 'Sets the secret of a service.'],
      [2, 2],
      async (session, domain, [service = '', value = '']) => {
        await session.call('putServiceCredsEntry', { domain, service, body: { value } })
        return done(`[domain ${domain} service ${service} service-creds successfully updated]`)
      },
    ),
    domainCommand(
      ['add-service-host', 'service host [host ...]', 'Adds hosts on which a service runs.'],
      [2, MANY],
      (session, domain, [service = '', ...hosts]) =>
        changeService(session, domain, service, (present) => ({
          ...present,
          hosts: [...new Set([...(present.hosts ?? []), ...hosts])],
        })),
    ),
    domainCommand(
      ['delete-service-host', 'service host [host ...]', 'Removes hosts of a service.'],
      [2, MANY],
      (session, domain, [service = '', ...hosts]) =>
        changeService(session, domain, service, (present) => ({
          ...present,
          hosts: (present.hosts ?? []).filter((host) => !hosts.includes(host)),
        })),
    ),
    domainCommand(
      ['add-public-key', 'service key_id identity_pubkey.pem|identity_key_ybase64', 'Adds a public key to a service.'],
      [3, 3],
      async (session, domain, [service = '', id = '', key = '']) => {
        const body = { id, key: await readPublicKey(key) }
        await session.call('putPublicKeyEntry', { domain, service, id, body })
        return showChanged(session, domain, service)
      },
    ),
    domainCommand(
      ['show-public-key', 'service key_id', 'Shows a public key of a service.'],
      [2, 2],
      async (session, domain, [service = '', id = '']) => {
        const entry = await session.call('getPublicKeyEntry', { domain, service, id })
        return shown(entry, PublicKeyEntry.wire, () =>
          blockText('public-key', [`keyID: ${entry.id}`, `value: ${entry.key}`]),
        )
      },
    ),
    domainCommand(
      ['delete-public-key', 'service key_id', 'Removes a public key of a service.'],
      [2, 2],
      async (session, domain, [service = '', id = '']) => {
        await session.call('deletePublicKeyEntry', { domain, service, id })
        return showChanged(session, domain, service)
      },
    ),
    domainCommand(
      ['delete-service', 'service', 'Deletes a service.'],
      [1, 1],
      async (session, domain, [service = '']) => {
        await session.call('deleteServiceIdentity', { domain, service })
        return message(`[Deleted service identity: ${domain}.${service}]`)
      },
    ),
    domainCommand(
      ['add-service-tag', 'service tag_key tag_value [tag_value ...]', 'Adds values to a tag of a service.'],
      [3, MANY],
      async (session, domain, [service = '', key = '', ...values]) => {
        const present = await session.call('getServiceIdentity', { domain, service })
        await putService(session, domain, service, { ...present, tags: withTagValues(present.tags, key, values) })
        return done(`[domain ${domain} service ${service} tags successfully updated]`)
      },
    ),
    domainCommand(
      ['delete-service-tag', 'service tag_key [tag_value]', 'Removes a tag of a service, or one of its values.'],
      [2, 3],
      async (session, domain, [service = '', key = '', value]) => {
        const present = await session.call('getServiceIdentity', { domain, service })
        if (present.tags === undefined) return done(`[domain ${domain} Service ${service} has no tags]`)
        await putService(session, domain, service, { ...present, tags: withoutTagValue(present.tags, key, value) })
        return done(`[domain ${domain} service ${service} tags successfully deleted]`)
      },
    ),
    domainCommand(
      ['search-services', 'service substring_match [domain_filter]', 'Looks for services of all domains by name.'],
      [2, 3],
      async (session, _domain, [serviceName = '', substring = '', domainFilter]) => {
        const substringMatch = readSwitch(substring)
        const filter = domainFilter === undefined ? {} : { domainFilter }
        const found = await session.call('searchServiceIdentities', { serviceName, substringMatch, ...filter })
        return shown(found, ServiceIdentities.wire, () =>
          blockText('services', (found.list ?? []).flatMap(serviceLines)),
        )
      },
    ),
  ],
}

function systemMeta(
  attribute: string,
  usage: string,
  summary: string,
  systemAttribute: string,
  body: (word: string) => SystemMeta,
): Command {
  const name = attribute.startsWith('service-') ? `set-${attribute}` : `set-service-${attribute}`
  return domainCommand(
    [name, `service ${usage}`, summary],
    [2, 2],
    async (session, domain, [service = '', word = '']) => {
      await session.call('putServiceIdentitySystemMeta', {
        domain,
        service,
        attribute: systemAttribute,
        body: body(word),
      })
      return done(`[domain ${domain} service ${service} ${attribute} successfully updated]`)
    },
  )
}

const publicKeys = async (id: string | undefined, key: string | undefined): Promise<PublicKeyEntry[]> =>
  id === undefined || key === undefined ? [] : [{ id, key: await readPublicKey(key) }]

async function addService(session: Session, domain: string, service: string, keys: PublicKeyEntry[]): Promise<Result> {
  const made = await putNewService(session, domain, service, keys)
  return session.flags.bulk
    ? plainText('')
    : shownService(made ?? (await session.call('getServiceIdentity', { domain, service })))
}

async function putNewService(session: Session, domain: string, service: string, keys: PublicKeyEntry[]) {
  await refuseIfPresent(
    session.flags,
    () => session.call('getServiceIdentity', { domain, service }),
    `service identity already exists: ${domain}.${service} - use add-public-key to add a key`,
  )
  return putService(session, domain, service, { publicKeys: keys })
}

/** What a service has that its administrators may change. */
type ServiceContents = Pick<
  Partial<ServiceIdentity>,
  'description' | 'publicKeys' | 'executable' | 'hosts' | 'user' | 'group' | 'tags'
>

function putService(session: Session, domain: string, service: string, contents: ServiceContents) {
  const { description, publicKeys: keys, executable, hosts, user, group, tags } = contents
  const body = { name: `${domain}.${service}`, description, publicKeys: keys, executable, hosts, user, group, tags }
  return session.call('putServiceIdentity', { domain, service, returnObj: true, body })
}

/** A provider may make tenants by itself when it is in a role that may change what it has for them. */
async function allowSelfService(session: Session, domainName: string, service: string): Promise<void> {
  const name = `${service}_self_serve`
  const role = fullName(domainName, 'role', name)
  const readRole = () => session.call('getRole', { domainName, roleName: name })
  await refuseIfPresent(session.flags, readRole, `role already exists: ${role}`)
  const members = [{ memberName: `${domainName}.${service}` }]
  await session.call('putRole', { domainName, roleName: name, body: { name: role, roleMembers: members } })
  const policy = fullName(domainName, 'policy', name)
  const readPolicy = () => session.call('getPolicy', { domainName, policyName: name })
  await refuseIfPresent(session.flags, readPolicy, `policy already exists: ${policy}`)
  const assertions = [{ role, resource: `${domainName}:tenant.*`, action: 'update', effect: 'ALLOW' as const }]
  await session.call('putPolicy', { domainName, policyName: name, body: { name: policy, assertions } })
}

async function changeService(
  session: Session,
  domain: string,
  service: string,
  change: (present: ServiceIdentity) => ServiceContents,
): Promise<Result> {
  const present = await session.call('getServiceIdentity', { domain, service })
  const changed = await putService(session, domain, service, change(present))
  return session.flags.bulk ? plainText('') : changed ? shownService(changed) : showService(session, domain, service)
}

const showChanged = async (session: Session, domain: string, service: string): Promise<Result> =>
  session.flags.bulk ? plainText('') : showService(session, domain, service)

const showService = async (session: Session, domain: string, service: string): Promise<Result> =>
  shownService(await session.call('getServiceIdentity', { domain, service }))

const shownService = (service: ServiceIdentity): Result =>
  shown(service, ServiceIdentity.wire, () => blockText('service', serviceLines(service)))
