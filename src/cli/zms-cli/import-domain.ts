import { AthenzClientError } from '#client/client-error.ts'
import { ifPresent } from './absence.ts'
import { type DocumentService, type DomainDocument, readDomainDocument } from './domain-document.ts'
import { CommandRefusal } from './failure.ts'
import { localName } from './names.ts'
import { createDomain } from './new-domain.ts'
import { message, type Result } from './result.ts'
import type { Session } from './session.ts'

/** Every domain has a role and a policy of this name from its beginning. */
const ADMIN = 'admin'

/**
 * Creates a domain from a file. What the server refuses is left out and named at the end, unless errors are not to be
 * skipped; then the import ends with the first.
 */
export async function importDomain(
  session: Session,
  name: string,
  file: string | undefined,
  admins: readonly string[],
): Promise<Result> {
  const document = await readDomainDocument(name, file)
  const { ypmId, productId } = document.settings
  const exists = session.flags.overwrite && (await ifPresent(session.call('getDomain', { domain: name }))) !== undefined
  if (!exists) {
    const product = { ...(ypmId && { ypmId }), ...(productId && { productId }) }
    await createDomain(session, name, admins, product)
  }
  const refused: string[] = []
  for (const { what, write } of stepsOf(session, document)) {
    session.report(`Processing ${what}...`)
    try {
      await write()
    } catch (error) {
      if (!session.flags.skipErrors || !(error instanceof AthenzClientError) || error.status === undefined) throw error
      refused.push(`${what} (${error.message})`)
    }
  }
  if (refused.length > 0) throw new CommandRefusal(`imported domain '${name}' without ${refused.join(', ')}`)
  return message(`[imported domain '${name}' successfully]`)
}

interface Step {
  readonly what: string
  readonly write: () => Promise<unknown>
}

/** What is written, in an order in which all that is named is there: services are in groups, groups in roles, roles in policies. */
function stepsOf(session: Session, document: DomainDocument): Step[] {
  const { name: domainName, roles, groups, policies, services, entities } = document
  return [
    ...settingSteps(session, document),
    ...services.map((service) => serviceStep(session, domainName, service)),
    ...groups.map((body) => {
      const groupName = localName(body.name, 'group')
      return { what: `group ${groupName}`, write: () => session.call('putGroup', { domainName, groupName, body }) }
    }),
    ...roles.map((body) => roleStep(session, domainName, body)),
    ...policies
      .filter(({ name }) => localName(name, 'policy') !== ADMIN)
      .map((body) => {
        const policyName = localName(body.name, 'policy')
        return {
          what: `policy ${policyName}`,
          write: () => session.call('putPolicy', { domainName, policyName, body }),
        }
      }),
    ...entities.map((body) => {
      const entityName = localName(body.name, 'entity')
      return { what: `entity ${entityName}`, write: () => session.call('putEntity', { domainName, entityName, body }) }
    }),
  ]
}

type Settings = DomainDocument['settings']

/** Settings of operators, by the attribute under which they are changed. */
const SYSTEM_ATTRIBUTES: ReadonlyMap<string, readonly (keyof Settings)[]> = new Map([
  ['account', ['account', 'awsAccountName']],
  ['azuresubscription', ['azureSubscription', 'azureTenant', 'azureClient']],
  ['gcpproject', ['gcpProject', 'gcpProjectNumber']],
  ['org', ['org']],
  ['costcenter', ['costCenter']],
  ['certdnsdomain', ['certDnsDomain']],
  ['userauthorityfilter', ['userAuthorityFilter']],
  ['featureflags', ['featureFlags']],
  ['externalmembervalidator', ['externalMemberValidator']],
  ['x509certsignerkeyid', ['x509CertSignerKeyId']],
  ['sshcertsignerkeyid', ['sshCertSignerKeyId']],
  // From then on every change needs a reason.
  ['auditenabled', ['auditEnabled']],
])

/** Settings that creation has set already. */
const CREATED: readonly (keyof Settings)[] = ['ypmId', 'productId']

function settingSteps(session: Session, { name, settings }: DomainDocument): Step[] {
  const ofOperators = new Set([...SYSTEM_ATTRIBUTES.values()].flat())
  const own = Object.entries(settings).filter(
    ([key, value]) =>
      !isUnset(value) && !ofOperators.has(key as keyof Settings) && !CREATED.includes(key as keyof Settings),
  )
  const body: Settings = Object.fromEntries(own)
  return [
    ...(own.length === 0
      ? []
      : [{ what: 'domain settings', write: () => session.call('putDomainMeta', { name, body }) }]),
    ...Array.from(SYSTEM_ATTRIBUTES).flatMap(([attribute, keys]): Step[] => {
      const values = keys.filter((key) => !isUnset(settings[key])).map((key) => [key, settings[key]])
      if (values.length === 0) return []
      const request = { name, attribute, body: Object.fromEntries(values) as Settings }
      return [{ what: `domain setting ${attribute}`, write: () => session.call('putDomainSystemMeta', request) }]
    }),
  ]
}

const isUnset = (value: unknown): boolean => value === undefined || value === '' || value === 0 || value === false

function serviceStep(session: Session, domain: string, { service: body, providerEndpoint }: DocumentService): Step {
  const service = body.name.slice(domain.length + 1)
  return {
    what: `service ${body.name}`,
    async write() {
      await session.call('putServiceIdentity', { domain, service, body })
      if (!providerEndpoint) return
      const attribute = 'providerendpoint'
      await session.call('putServiceIdentitySystemMeta', { domain, service, attribute, body: { providerEndpoint } })
    },
  }
}

function roleStep(session: Session, domainName: string, body: DomainDocument['roles'][number]): Step {
  const roleName = localName(body.name, 'role')
  const write = async () =>
    session.call('putRole', {
      domainName,
      roleName,
      body: roleName === ADMIN ? await withPresentAdmins(session, domainName, body) : body,
    })
  return { what: `role ${roleName}`, write }
}

/** Those whom the creation made administrators stay. */
async function withPresentAdmins(session: Session, domainName: string, body: DomainDocument['roles'][number]) {
  const { roleMembers: present = [] } = await session.call('getRole', { domainName, roleName: ADMIN })
  const given = body.roleMembers ?? []
  const names = new Set(given.map(({ memberName }) => memberName.toLowerCase()))
  const kept = present.filter(({ memberName }) => !names.has(memberName)).map(({ memberName }) => ({ memberName }))
  return { ...body, roleMembers: [...given, ...kept] }
}
