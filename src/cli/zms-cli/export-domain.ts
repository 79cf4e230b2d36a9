import { DomainData } from '#zms/api/signed-domains.ts'
import { contentLines, domainAttributes } from './domain-text.ts'
import { CommandRefusal } from './failure.ts'
import { blockText } from './list-text.ts'
import { type Result, shown } from './result.ts'
import type { Session } from './session.ts'
import { quotedText } from './yaml-text.ts'

/**
 * All that a domain has: read part by part for the form for people, and as one signed piece, which has more settings, for
 * the others.
 */
export async function domainExport(session: Session, domain: string): Promise<Result> {
  return session.flags.format === 'manualYaml' ? exportForPeople(session, domain) : exportForPrograms(session, domain)
}

async function exportForPeople(session: Session, domain: string): Promise<Result> {
  const domainName = domain
  const settings = await session.call('getDomain', { domain })
  const roles = await session.call('getRoles', { domainName, members: true })
  const groups = await session.call('getGroups', { domainName, members: true })
  const policies = await session.call('getPolicies', { domainName, assertions: true, includeNonActive: false })
  const services = await session.call('getServiceIdentities', { domainName, publickeys: true, hosts: true })
  const { names } = await session.call('getEntityList', { domainName })
  const entities = []
  for (const entityName of names) entities.push(await session.call('getEntity', { domainName, entityName }))
  const contents = {
    tags: settings.tags,
    roles: roles.list ?? [],
    groups: groups.list ?? [],
    policies: policies.list ?? [],
    services: services.list ?? [],
    entities,
  }
  // Full names would be of no use in another domain.
  const lines = [...domainAttributes(settings), ...contentLines(contents, { verbose: false })]
  return shown(settings, undefined, () => blockText('domain', lines.map(asYaml)))
}

async function exportForPrograms(session: Session, domain: string): Promise<Result> {
  const asked = { domain, metaOnly: 'false', metaAttr: 'all', master: true, conditions: true }
  const found = await session.call('getSignedDomains', asked)
  const contents = found?.domains?.find((signed) => signed.domain.name === domain)?.domain
  if (contents === undefined) throw new CommandRefusal(`domain with name ${domain} wasn't found`)
  return shown(contents, DomainData.wire)
}

/** A line of the form for people with its value quoted where a reader of YAML would take it for something else. */
function asYaml(line: string): string {
  const [, before = '', value = ''] = /^(\s*(?:- )?[\w-]+: |\s*- )(.*)$/s.exec(line) ?? []
  return before === '' || LISTS.test(before) ? line : before + quotedText(value)
}

/** These are written as lists in one line. */
const LISTS = /(?:hosts|publicKeys): $/
