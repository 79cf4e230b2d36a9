import { writeFile } from 'node:fs/promises'
import { Domain, DomainList } from '#zms/api/domain.ts'
import { DomainDataCheck, Stats } from '#zms/api/domain-check.ts'
import { Quota } from '#zms/api/quota.ts'
import { DomainRoleMembers } from '#zms/api/role-membership.ts'
import { DomainData, SignedDomains } from '#zms/api/signed-domains.ts'
import { readInt32, readOwners, readPair } from './argument-values.ts'
import { tagLines } from './collection-text.ts'
import { type Command, type CommandGroup, command, domainCommand, givenDomain, MANY } from './command.ts'
import { changeDomainMeta, domainMetaCommands } from './domain-meta-commands.ts'
import { contentLines, domainAttributes, signedDomainLines } from './domain-text.ts'
import { domainExport } from './export-domain.ts'
import { CommandRefusal } from './failure.ts'
import { fields, indented, textOf } from './lines.ts'
import { blockText, listText } from './list-text.ts'
import { domainItems } from './member-text.ts'
import { newDomain } from './new-domain.ts'
import { resultText } from './output.ts'
import { resetOwners } from './reset-owners.ts'
import { done, message, NOTHING, plainText, type Result, shown } from './result.ts'
import type { Asked, Session } from './session.ts'
import { signedContents } from './signed-contents.ts'
import { withoutTagValue, withTagValues } from './tag-values.ts'

/** Domains as a whole. */
export const domainCommands: CommandGroup = {
  title: 'Domain',
  commands: [
    command(
      ['list-domain', '[prefix] | [limit skip prefix depth]', 'Lists the names of domains.'],
      [0, 4],
      (session, [first = '', skip, prefix = '', depth = '']) => {
        if (skip === undefined) return listDomains(session, first === '' ? {} : { prefix: first })
        return listDomains(session, {
          ...(first !== '' && { limit: readInt32(first) }),
          ...(skip !== '' && { skip }),
          ...(prefix !== '' && { prefix }),
          ...(depth !== '' && { depth: readInt32(depth) }),
        })
      },
    ),
    command(['show-domain', '[domain]', 'Shows a domain with all it has.'], [0, 1], async (session, [word]) => {
      const domain = givenDomain(session, word)
      const contents = await signedContents(session, domain)
      const settings = session.flags.format === 'manualYaml' ? await session.call('getDomain', { domain }) : undefined
      return shown(contents, DomainData.wire, () => {
        const lines = settings === undefined ? [] : domainAttributes(settings)
        const modified = [`modified: ${contents.modified}`]
        return blockText('domain', [...lines, ...modified, ...contentLines(partsOf(contents), session.flags)])
      })
    }),
    command(['show-domain-attrs', '[domain]', 'Shows the settings of a domain.'], [0, 1], async (session, [word]) => {
      const domain = await session.call('getDomain', { domain: givenDomain(session, word) })
      return shown(domain, Domain.wire, () => blockText('domain', domainAttributes(domain)))
    }),
    lookup('aws-account', 'account-id', 'an AWS account', ([account = '']) => ({ account })),
    lookup('azure-subscription', 'subscription-id', 'an Azure subscription', ([subscription = '']) => ({
      subscription,
    })),
    lookup('gcp-project', 'project-id', 'a GCP project', ([project = '']) => ({ project })),
    lookup('product-id', 'product-id', 'a product', ([productId = '']) =>
      /^\d+$/.test(productId) ? { productNumber: readInt32(productId) } : { productId },
    ),
    command(
      [
        'lookup-domain-by-role',
        'role-member role-name',
        'Lists the domains in which somebody is in a role of this name.',
      ],
      [2, 2],
      (session, [roleMember = '', roleName = '']) => listDomains(session, { roleMember, roleName }),
    ),
    command(
      ['lookup-domain-by-tag', '[tag_key] [tag_value]', 'Lists the domains that have a tag.'],
      [1, 2],
      (session, [tagKey = '', tagValue]) =>
        listDomains(session, { tagKey, ...(tagValue !== undefined && { tagValue }) }),
    ),
    lookup('business-service', 'business-service', 'a business service', ([businessService = '']) => ({
      businessService,
    })),
    command(
      ['add-domain', 'domain [product-id] [admin ...]', 'Creates a domain: at the top level, or below another one.'],
      [1, MANY],
      (session, [domain = '', ...words]) => newDomain(session, domain, words),
    ),
    ...domainMetaCommands,
    domainCommand(
      ['set-domain-resource-ownership', 'resource-owner', 'Sets who owns the parts of a domain.'],
      [1, 1],
      async (session, domainName, [text = '']) => {
        const body = readOwners(text, { objectowner: 'objectOwner', metaowner: 'metaOwner' })
        await session.call('putResourceDomainOwnership', { domainName, body })
        return done(`[domain ${domainName} domain-resource-ownership attribute successfully updated]`)
      },
    ),
    domainCommand(
      [
        'reset-domain-resource-ownership',
        'resource-types',
        'Removes the owners of the domain, its roles, groups, policies, services: domain,role,group,policy,service.',
      ],
      [1, 1],
      async (session, domain, [types = '']) => {
        await resetOwners(session, domain, types)
        return done(`[domain ${domain} resource-ownership attribute successfully reset for the requested types]`)
      },
    ),
    command(
      [
        'import-domain',
        'domain [file.yaml [admin ...]]',
        'Creates a domain from what export-domain wrote; no file means standard input.',
      ],
      [1, MANY],
      async (session, [domain = '', file, ...admins]) => {
        const { importDomain } = await import('./import-domain.ts')
        return importDomain(session, domain, file, admins)
      },
    ),
    command(
      ['export-domain', 'domain [file.yaml]', 'Writes a domain to a file; no file means standard output.'],
      [1, 2],
      async (session, [domain = '', file]) => {
        const result = await domainExport(session, domain)
        if (file === undefined) return result
        await writeFile(file, resultText(result, session.flags.format) ?? '')
        return NOTHING
      },
    ),
    command(['delete-domain', 'domain', 'Deletes a domain.'], [1, 1], async (session, [domain = '']) => {
      await session.call('getDomain', { domain })
      await deleteDomain(session, domain)
      return message(`[Deleted domain ${domain}]`)
    }),
    command(
      ['get-signed-domains', '[matching_tag]', 'Shows the domains with signatures, or those that changed since a tag.'],
      [0, 1],
      async (session, [matchingTag]) => {
        const asked = { metaOnly: 'false', master: true, conditions: true }
        const { headers, body } = await session.exchange('getSignedDomains', {
          ...asked,
          ...(matchingTag !== undefined && { matchingTag }),
        })
        if (body === undefined) return plainText('')
        return shown(body, SignedDomains.wire, () => {
          const domains = (body.domains ?? []).flatMap((domain) => signedDomainLines(domain, session.flags))
          return textOf([`ETag: ${headers['etag'] ?? ''}`, ...domains])
        })
      },
    ),
    command(
      ['use-domain', '[domain]', 'Names the domain that is worked with.'],
      [0, MANY],
      async (_session, [domain]) =>
        message(domain ? `[now working with the ${domain} domain]` : '[not using any domain]'),
    ),
    command(
      ['check-domain', '[domain]', 'Looks for roles and policies of a domain that lead nowhere.'],
      [0, 1],
      async (session, [word]) => {
        const found = await session.call('getDomainDataCheck', { domainName: givenDomain(session, word) })
        return shown(found, DomainDataCheck.wire, () => blockText('checked data', checkLines(found)))
      },
    ),
    domainCommand(
      ['add-domain-tag', 'tag_key tag_value [tag_value ...]', 'Adds values to a tag of a domain.'],
      [2, MANY],
      async (session, domain, [key = '', ...values]) => {
        await changeDomainMeta(session, domain, ({ tags }) => ({ tags: withTagValues(tags, key, values) }))
        return showTags(session, domain)
      },
    ),
    domainCommand(
      ['delete-domain-tag', 'tag_key [tag_value]', 'Removes a tag of a domain, or one of its values.'],
      [1, 2],
      async (session, domain, [key = '', value]) => {
        await changeDomainMeta(session, domain, ({ tags }) => ({ tags: withoutTagValue(tags, key, value) }))
        return showTags(session, domain)
      },
    ),
    domainCommand(['get-quota', '', 'Shows how much a domain may have.'], [0, 0], async (session, domain) => {
      const quota = await session.call('getQuota', { name: domain })
      return shown(quota, Quota.wire, () => {
        const limits = Array.from(QUOTA_MEMBERS, ([word, member]) => [word, quota[member]] as const)
        return blockText('quota', fields([...limits, ['modified', quota.modified]]))
      })
    }),
    domainCommand(
      ['set-quota', '[attrs ...]', `Sets how much a domain may have, e.g. role=100.`],
      [1, MANY],
      async (session, domain, words) => {
        const { modified: _time, ...present } = await session.call('getQuota', { name: domain })
        const limits = words.map((word) => {
          const [name, limit] = readPair(word)
          const member = QUOTA_MEMBERS.get(name)
          if (member === undefined)
            throw new CommandRefusal(`there is no quota for ${name}: see 'zms-cli help set-quota'`)
          return [member, readInt32(limit)] as const
        })
        await session.call('putQuota', {
          name: domain,
          body: { ...present, name: domain, ...Object.fromEntries(limits) },
        })
        return done(`[domain ${domain} quota successfully set]`)
      },
    ),
    domainCommand(
      ['delete-quota', '', 'Gives a domain the quota of the server again.'],
      [0, 0],
      async (session, domain) => {
        await session.call('deleteQuota', { name: domain })
        return message(`[Removed quota for domain ${domain}]`)
      },
    ),
    command(
      ['overdue-review', '[domain]', 'Lists members whose review is overdue.'],
      [0, 1],
      async (session, [word]) => {
        const found = await session.call('getOverdueReview', { domainName: givenDomain(session, word) })
        return shown(found, DomainRoleMembers.wire, () =>
          textOf(['Overdue review members:', ...domainItems('role', [found])]),
        )
      },
    ),
    command(['get-stats', '[domain]', 'Counts what a domain has, or all domains.'], [0, 1], async (session, [word]) => {
      const name = word ?? session.flags.domain
      const stats =
        name === undefined ? await session.call('getSystemStats', {}) : await session.call('getStats', { name })
      return shown(stats, Stats.wire)
    }),
  ],
}

type LimitMember = Exclude<keyof Quota, 'name' | 'modified'>

/** Limits by the words for them, in the order in which they are shown. */
const QUOTA_MEMBERS: ReadonlyMap<string, LimitMember> = new Map([
  ['subdomain', 'subdomain'],
  ['role', 'role'],
  ['role-member', 'roleMember'],
  ['group', 'group'],
  ['group-member', 'groupMember'],
  ['policy', 'policy'],
  ['assertion', 'assertion'],
  ['service', 'service'],
  ['service-host', 'serviceHost'],
  ['public-key', 'publicKey'],
  ['entity', 'entity'],
])

function lookup(
  what: string,
  usage: string,
  meaning: string,
  asked: (words: readonly string[]) => Asked<'getDomainList'>,
): Command {
  const words = [`lookup-domain-by-${what}`, usage, `Lists the domains of ${meaning}.`] as const
  return command(words, [1, 1], (session, args) => listDomains(session, asked(args)))
}

async function listDomains(session: Session, asked: Asked<'getDomainList'>): Promise<Result> {
  const list = await session.call('getDomainList', asked)
  return shown(list, DomainList.wire, () => listText('domains', list.names ?? []))
}

const partsOf = ({ tags, roles, groups, policies, services }: DomainData) => ({
  tags,
  roles: roles ?? [],
  groups: groups ?? [],
  policies: policies?.contents.policies ?? [],
  services: services ?? [],
})

async function deleteDomain(session: Session, domain: string): Promise<void> {
  const at = domain.lastIndexOf('.')
  const [parent, name] = [domain.slice(0, Math.max(at, 0)), domain.slice(at + 1)]
  if (parent === '') await session.call('deleteTopLevelDomain', { name })
  else if (parent === session.flags.homeDomain) await session.call('deleteUserDomain', { name })
  else await session.call('deleteSubDomain', { parent, name })
}

function checkLines(found: DomainDataCheck): string[] {
  const { danglingRoles, danglingPolicies, providersWithoutTrust, tenantsWithoutAssumeRole } = found
  const policies = danglingPolicies?.map(({ policyName, roleName }) => `policy: ${policyName} role: ${roleName}`)
  return [
    ...named('Roles not referenced in any assertion or empty', danglingRoles),
    ...named('Policies where assertion is referencing a non-existent role', policies),
    `Number of policies:   ${found.policyCount}`,
    `Number of assertions: ${found.assertionCount}`,
    ...named('On-boarded providers without trust relationship', providersWithoutTrust),
    ...named('On-boarded tenants without assume_role assertions', tenantsWithoutAssumeRole),
  ]
}

const named = (heading: string, list: readonly string[] = []): string[] =>
  list.length === 0 ? [] : [`${heading}: `, ...indented(4, list)]

async function showTags(session: Session, domain: string): Promise<Result> {
  const { tags } = await session.call('getDomain', { domain })
  return shown(tags ?? {}, undefined, () => textOf(tagLines(tags, 6)))
}
