import { ReviewObjects } from '#zms/api/review.ts'
import { Role, Roles } from '#zms/api/role.ts'
import { DomainRoleMember, DomainRoleMembers, Membership } from '#zms/api/role-membership.ts'
import { refuseIfPresent } from './absence.ts'
import { readSwitch, readTimestamp } from './argument-values.ts'
import { type CollectionStyle, roleLines } from './collection-text.ts'
import { type Command, type CommandGroup, command, domainCommand, MANY } from './command.ts'
import { badSyntax, CommandRefusal } from './failure.ts'
import { indented, textOf } from './lines.ts'
import { blockText, objectListText } from './list-text.ts'
import { principals, readDecision, refuseInactive } from './member-arguments.ts'
import { memberItems, membershipLines, principalRoleLines } from './member-text.ts'
import { fullName, shownLocal } from './names.ts'
import { done, message, plainText, type Result, shown } from './result.ts'
import { roleMetaCommands } from './role-meta-commands.ts'
import type { Session } from './session.ts'

/** Roles and their members. */
export const roleCommands: CommandGroup = {
  title: 'Role',
  commands: [
    domainCommand(['list-role', '', 'Lists the roles of a domain.'], [0, MANY], async (session, domain) => {
      const { names } = await session.call('getRoleList', { domainName: domain })
      return shown(names, undefined, () => objectListText('roles', { domain, kind: 'role', names }, session.flags))
    }),
    domainCommand(
      [
        'show-role',
        'role [log | expand | pending]',
        'Shows a role: with its log, with the members of a delegated role, or with those who wait for approval.',
      ],
      [1, 2],
      async (session, domainName, [roleName = '', option]) => {
        const asked = option === undefined ? {} : VIEWS.get(option)
        if (asked === undefined) throw badSyntax('show-role')
        return shownRole(session, await session.call('getRole', { domainName, roleName, ...asked }), option === 'log')
      },
    ),
    domainCommand(
      ['show-roles', '[tag_key] [tag_value]', 'Shows the roles of a domain, or those with a tag.'],
      [0, 2],
      async (session, domainName, [tagKey, tagValue]) => {
        const tag = { ...(tagKey !== undefined && { tagKey }), ...(tagValue !== undefined && { tagValue }) }
        const found = await session.call('getRoles', { domainName, members: true, ...tag })
        return shown(found, Roles.wire, () => {
          const items = (found.list ?? []).flatMap((role) => roleLines(role, session.flags))
          return textOf(indented(4, ['roles:', ...indented(4, items)]))
        })
      },
    ),
    command(
      [
        'show-roles-principal',
        '[principal] [expand]',
        'Shows the roles of somebody; with true, also those through groups.',
      ],
      [0, 2],
      async (session, [principal, expandWord]) => {
        const expand = expandWord === undefined ? {} : { expand: readSwitch(expandWord) }
        const found = await session.call('getPrincipalRoles', {
          ...(principal !== undefined && { principal }),
          ...expand,
        })
        return shown(found, DomainRoleMember.wire, () => textOf(principalRoleLines(found)))
      },
    ),
    command(
      ['list-roles-for-review', '[principal]', 'Lists the roles whose members somebody should review.'],
      [0, 1],
      async (session, [principal]) => {
        const found = await session.call('getRolesForReview', principal === undefined ? {} : { principal })
        return shown(found, ReviewObjects.wire)
      },
    ),
    domainCommand(
      ['add-delegated-role', 'role trusted_domain', 'Creates a role whose members another domain names.'],
      [2, 2],
      (session, domain, [role = '', trust = '']) => addRole(session, domain, role, { trust }),
    ),
    domainCommand(
      ['add-regular-role', 'role [-audit-enabled] [member ... ]', 'Creates a role with members.'],
      [1, MANY],
      (session, domain, [role = '', ...words]) => {
        const auditEnabled = words[0] === '-audit-enabled'
        const members = principals(session, auditEnabled ? words.slice(1) : words).map((memberName) => ({ memberName }))
        const contents = { ...(members.length > 0 && { roleMembers: members }), ...(auditEnabled && { auditEnabled }) }
        return addRole(session, domain, role, contents)
      },
    ),
    domainCommand(
      ['add-member', 'regular_role user_or_service [user_or_service ...]', 'Adds members to a role.'],
      [2, MANY],
      (session, domain, [role = '', ...words]) => addMembers(session, domain, role, words),
    ),
    domainCommand(
      ['add-temporary-member', 'regular_role user_or_service expiration', 'Adds a member until a time.'],
      [3, 3],
      (session, domain, [role = '', member = '', time = '']) =>
        addMembers(session, domain, role, [member], { expiration: readTimestamp(time) }),
    ),
    domainCommand(
      ['add-reviewed-member', 'regular_role user_or_service review', 'Adds a member that is to be reviewed at a time.'],
      [3, 3],
      (session, domain, [role = '', member = '', time = '']) =>
        addMembers(session, domain, role, [member], { reviewReminder: readTimestamp(time) }),
    ),
    domainCommand(
      ['check-member', 'regular_role user_or_service [user_or_service ...]', 'Tells who is a member of a role.'],
      [2, MANY],
      async (session, domainName, [roleName = '', ...words]) => {
        const memberships: Membership[] = []
        for (const memberName of principals(session, words)) {
          memberships.push(await session.call('getMembership', { domainName, roleName, memberName }))
        }
        const shape = { base: 'Array', items: Membership.wire } as const
        return shown(memberships, shape, () => textOf(indented(4, memberships.flatMap(membershipLines))))
      },
    ),
    domainCommand(
      [
        'check-active-member',
        'regular_role user_or_service',
        'Tells whether somebody is a member now; fails when not.',
      ],
      [2, 2],
      async (session, domainName, [roleName = '', word = '']) => {
        const [memberName = ''] = principals(session, [word])
        const membership = await session.call('getMembership', { domainName, roleName, memberName })
        refuseInactive(membership, memberName)
        return shown(membership, Membership.wire, () => textOf(indented(4, membershipLines(membership))))
      },
    ),
    domainCommand(
      ['delete-member', 'regular_role user_or_service [user_or_service ...]', 'Removes members from a role.'],
      [2, MANY],
      (session, domain, [role = '', ...words]) => deleteMembers(session, domain, role, words),
    ),
    ...providerRoleCommands(),
    domainCommand(
      ['list-domain-role-members', '', 'Lists the members of all roles of a domain.'],
      [0, MANY],
      async (session, domainName) => {
        const found = await session.call('getDomainRoleMembers', { domainName })
        return shown(found, DomainRoleMembers.wire, () => blockText('role members', memberItems('role', found)))
      },
    ),
    domainCommand(
      ['delete-domain-role-member', 'member', 'Removes somebody from all roles of a domain.'],
      [1, 1],
      async (session, domainName, [memberName = '']) => {
        await session.call('deleteDomainRoleMember', { domainName, memberName })
        return message(`[Deleted member: ${memberName}]`)
      },
    ),
    domainCommand(['delete-role', 'role', 'Deletes a role.'], [1, 1], async (session, domainName, [roleName = '']) => {
      if (roleName === ADMIN_ROLE) throw new CommandRefusal(`cannot delete '${ADMIN_ROLE}' role`)
      await session.call('deleteRole', { domainName, roleName })
      return message(`[Deleted role: ${roleName}]`)
    }),
    ...roleMetaCommands,
    domainCommand(
      [
        'put-membership-decision',
        'regular_role user_or_service [expiration] decision',
        'Approves a member that waits for it, or a removal: true or false; with a time, until then.',
      ],
      [3, 4],
      async (session, domainName, [roleName = '', word = '', ...decisionWords]) => {
        const [memberName = ''] = principals(session, [word])
        const { words, ...decision } = readDecision(decisionWords)
        const body = { memberName, roleName, ...decision }
        await session.call('putMembershipDecision', { domainName, roleName, memberName, body })
        return done(`[domain ${domainName} role ${roleName} member ${memberName} successfully ${words}.]`)
      },
    ),
  ],
}

const ADMIN_ROLE = 'admin'

const VIEWS: ReadonlyMap<string, { readonly auditLog?: true; readonly expand?: true; readonly pending?: true }> =
  new Map([
    ['log', { auditLog: true as const }],
    ['expand', { expand: true as const }],
    ['pending', { pending: true as const }],
  ])

/** Name of the role that a provider has given to a tenant in a group of resources. */
const providerRole = (service: string, resourceGroup: string, role: string): string =>
  `${service}.res_group.${resourceGroup}.${role}`

/** Members of the role that a tenant has in a group of resources of a provider. */
function providerRoleCommands(): Command[] {
  const place = 'provider_service resource_group provider_role'
  return [
    domainCommand(
      [
        'add-provider-role-member',
        `${place} user_or_service [user_or_service ...]`,
        'Adds members to a role that a provider has given to the domain.',
      ],
      [4, MANY],
      (session, domain, [service = '', resourceGroup = '', role = '', ...words]) =>
        addMembers(session, domain, providerRole(service, resourceGroup, role), words),
    ),
    domainCommand(
      ['show-provider-role-member', place, 'Shows a role that a provider has given to the domain.'],
      [3, 3],
      async (session, domainName, [service = '', resourceGroup = '', role = '']) => {
        const name = providerRole(service, resourceGroup, role)
        return shownRole(session, await session.call('getRole', { domainName, roleName: name }))
      },
    ),
    domainCommand(
      [
        'delete-provider-role-member',
        `${place} user_or_service [user_or_service ...]`,
        'Removes members from a role that a provider has given to the domain.',
      ],
      [4, MANY],
      (session, domain, [service = '', resourceGroup = '', role = '', ...words]) =>
        deleteMembers(session, domain, providerRole(service, resourceGroup, role), words),
    ),
  ]
}

async function addRole(
  session: Session,
  domainName: string,
  roleName: string,
  contents: { trust?: string; auditEnabled?: boolean; roleMembers?: { memberName: string }[] },
): Promise<Result> {
  const name = fullName(domainName, 'role', roleName)
  const readRole = () => session.call('getRole', { domainName, roleName })
  await refuseIfPresent(session.flags, readRole, `role already exists: ${name}`)
  const body = { name, ...contents }
  const made = await session.call('putRole', { domainName, roleName, returnObj: true, body })
  return session.flags.bulk ? plainText('') : shownRole(session, made ?? (await readRole()))
}

async function addMembers(
  session: Session,
  domainName: string,
  roleName: string,
  words: readonly string[],
  dates: { expiration?: string; reviewReminder?: string } = {},
): Promise<Result> {
  const members = principals(session, words)
  for (const memberName of members) {
    const body = { memberName, roleName, ...dates }
    await session.call('putMembership', { domainName, roleName, memberName, body })
  }
  return message(`[Added to ${shownLocal(domainName, 'role', roleName, session.flags)}: ${members.join(',')}]`)
}

async function deleteMembers(
  session: Session,
  domainName: string,
  roleName: string,
  words: readonly string[],
): Promise<Result> {
  const members = principals(session, words)
  for (const memberName of members) await session.call('deleteMembership', { domainName, roleName, memberName })
  return message(`[Deleted from ${shownLocal(domainName, 'role', roleName, session.flags)}: ${members.join(',')}]`)
}

function shownRole(session: Session, role: Role, log = false): Result {
  const style: CollectionStyle = { verbose: session.flags.verbose, log }
  return shown(role, Role.wire, () => blockText('role', roleLines(role, style)))
}
