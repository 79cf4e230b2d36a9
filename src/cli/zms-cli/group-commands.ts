import { Group, Groups } from '#zms/api/group.ts'
import { DomainGroupMember, DomainGroupMembers, GroupMembership } from '#zms/api/group-membership.ts'
import { ReviewObjects } from '#zms/api/review.ts'
import { refuseIfPresent } from './absence.ts'
import { readTimestamp } from './argument-values.ts'
import { groupLines } from './collection-text.ts'
import { type CommandGroup, command, domainCommand, MANY } from './command.ts'
import { badSyntax } from './failure.ts'
import { groupMetaCommands } from './group-meta-commands.ts'
import { indented, textOf } from './lines.ts'
import { blockText, objectListText } from './list-text.ts'
import { principals, readDecision, refuseInactive } from './member-arguments.ts'
import { groupMembershipLines, memberItems, principalGroupLines } from './member-text.ts'
import { fullName, localName, shownLocal } from './names.ts'
import { done, message, plainText, type Result, shown } from './result.ts'
import type { Session } from './session.ts'

/** Groups and their members. */
export const groupCommands: CommandGroup = {
  title: 'Group',
  commands: [
    domainCommand(['list-group', '', 'Lists the groups of a domain.'], [0, MANY], async (session, domain) => {
      const { list } = await session.call('getGroups', { domainName: domain, members: false })
      const names = (list ?? []).map(({ name }) => localName(name, 'group'))
      return shown(names, undefined, () => objectListText('groups', { domain, kind: 'group', names }, session.flags))
    }),
    domainCommand(
      ['show-group', 'group [log | pending]', 'Shows a group: with its log, or with those who wait for approval.'],
      [1, 2],
      async (session, domainName, [groupName = '', option]) => {
        const asked = option === undefined ? {} : VIEWS.get(option)
        if (asked === undefined) throw badSyntax('show-group')
        return shownGroup(
          session,
          await session.call('getGroup', { domainName, groupName, ...asked }),
          option === 'log',
        )
      },
    ),
    domainCommand(
      ['show-groups', '[tag_key] [tag_value]', 'Shows the groups of a domain, or those with a tag.'],
      [0, 2],
      async (session, domainName, [tagKey, tagValue]) => {
        const tag = { ...(tagKey !== undefined && { tagKey }), ...(tagValue !== undefined && { tagValue }) }
        const found = await session.call('getGroups', { domainName, members: true, ...tag })
        return shown(found, Groups.wire, () => {
          const items = (found.list ?? []).flatMap((group) => groupLines(group, session.flags))
          return textOf(indented(4, ['groups:', ...indented(4, items)]))
        })
      },
    ),
    command(
      ['show-groups-principal', '[principal]', 'Shows the groups of somebody.'],
      [0, 1],
      async (session, [principal]) => {
        const found = await session.call('getPrincipalGroups', principal === undefined ? {} : { principal })
        return shown(found, DomainGroupMember.wire, () => textOf(principalGroupLines(found)))
      },
    ),
    command(
      ['list-groups-for-review', '[principal]', 'Lists the groups whose members somebody should review.'],
      [0, 1],
      async (session, [principal]) => {
        const found = await session.call('getGroupsForReview', principal === undefined ? {} : { principal })
        return shown(found, ReviewObjects.wire)
      },
    ),
    domainCommand(
      ['add-group', 'group [-audit-enabled] [member ... ]', 'Creates a group with members.'],
      [1, MANY],
      async (session, domainName, [groupName = '', ...words]) => {
        const name = fullName(domainName, 'group', groupName)
        const readGroup = () => session.call('getGroup', { domainName, groupName })
        await refuseIfPresent(session.flags, readGroup, `group already exists: ${name}`)
        const auditEnabled = words[0] === '-audit-enabled'
        const members = principals(session, auditEnabled ? words.slice(1) : words).map((memberName) => ({ memberName }))
        const contents = { ...(members.length > 0 && { groupMembers: members }), ...(auditEnabled && { auditEnabled }) }
        const made = await session.call('putGroup', {
          domainName,
          groupName,
          returnObj: true,
          body: { name, ...contents },
        })
        return session.flags.bulk ? plainText('') : shownGroup(session, made ?? (await readGroup()))
      },
    ),
    domainCommand(
      ['add-group-member', 'group user_or_service [user_or_service ...]', 'Adds members to a group.'],
      [2, MANY],
      (session, domain, [group = '', ...words]) => addMembers(session, domain, group, words),
    ),
    domainCommand(
      ['add-temporary-group-member', 'group user_or_service expiration', 'Adds a member until a time.'],
      [3, 3],
      (session, domain, [group = '', member = '', time = '']) =>
        addMembers(session, domain, group, [member], readTimestamp(time)),
    ),
    domainCommand(
      ['check-group-member', 'group user_or_service [user_or_service ...]', 'Tells who is a member of a group.'],
      [2, MANY],
      async (session, domainName, [groupName = '', ...words]) => {
        const memberships: GroupMembership[] = []
        for (const memberName of principals(session, words)) {
          memberships.push(await session.call('getGroupMembership', { domainName, groupName, memberName }))
        }
        const shape = { base: 'Array', items: GroupMembership.wire } as const
        return shown(memberships, shape, () => textOf(indented(4, memberships.flatMap(groupMembershipLines))))
      },
    ),
    domainCommand(
      ['check-active-group-member', 'group user_or_service', 'Tells whether somebody is a member now; fails when not.'],
      [2, 2],
      async (session, domainName, [groupName = '', word = '']) => {
        const [memberName = ''] = principals(session, [word])
        const membership = await session.call('getGroupMembership', { domainName, groupName, memberName })
        refuseInactive(membership, memberName)
        return shown(membership, GroupMembership.wire, () => textOf(indented(4, groupMembershipLines(membership))))
      },
    ),
    domainCommand(
      ['delete-group-member', 'group user_or_service [user_or_service ...]', 'Removes members from a group.'],
      [2, MANY],
      async (session, domainName, [groupName = '', ...words]) => {
        const members = principals(session, words)
        for (const memberName of members) {
          await session.call('deleteGroupMembership', { domainName, groupName, memberName })
        }
        return message(
          `[Deleted from ${shownLocal(domainName, 'group', groupName, session.flags)}: ${members.join(',')}]`,
        )
      },
    ),
    domainCommand(
      ['list-domain-group-members', '', 'Lists the members of all groups of a domain.'],
      [0, MANY],
      async (session, domainName) => {
        const found = await session.call('getDomainGroupMembers', { domainName })
        return shown(found, DomainGroupMembers.wire, () => blockText('group members', memberItems('group', found)))
      },
    ),
    domainCommand(
      ['delete-group', 'group', 'Deletes a group.'],
      [1, 1],
      async (session, domainName, [groupName = '']) => {
        await session.call('deleteGroup', { domainName, groupName })
        return message(`[Deleted group: ${groupName}]`)
      },
    ),
    ...groupMetaCommands,
    domainCommand(
      [
        'put-group-membership-decision',
        'group user_or_service [expiration] decision',
        'Approves a member that waits for it, or a removal: true or false; with a time, until then.',
      ],
      [3, 4],
      async (session, domainName, [groupName = '', word = '', ...decisionWords]) => {
        const [memberName = ''] = principals(session, [word])
        const { words, ...decision } = readDecision(decisionWords)
        const body = { memberName, groupName, ...decision }
        await session.call('putGroupMembershipDecision', { domainName, groupName, memberName, body })
        return done(`[domain ${domainName} group ${groupName} member ${memberName} successfully ${words}.]`)
      },
    ),
  ],
}

const VIEWS: ReadonlyMap<string, { readonly auditLog?: true; readonly pending?: true }> = new Map([
  ['log', { auditLog: true as const }],
  ['pending', { pending: true as const }],
])

async function addMembers(
  session: Session,
  domainName: string,
  groupName: string,
  words: readonly string[],
  expiration?: string,
): Promise<Result> {
  const members = principals(session, words)
  for (const memberName of members) {
    const body = { memberName, groupName, ...(expiration !== undefined && { expiration }) }
    await session.call('putGroupMembership', { domainName, groupName, memberName, body })
  }
  return message(`[Added to ${shownLocal(domainName, 'group', groupName, session.flags)}: ${members.join(',')}]`)
}

const shownGroup = (session: Session, group: Group, log = false): Result =>
  shown(group, Group.wire, () => blockText('group', groupLines(group, { verbose: session.flags.verbose, log })))
