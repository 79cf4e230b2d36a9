import { AuthHistoryDependencies } from '#zms/api/domain.ts'
import { DomainGroupMembership } from '#zms/api/group-membership.ts'
import { DomainRoleMembership } from '#zms/api/role-membership.ts'
import { type Command, type CommandGroup, command, domainCommand, givenDomain, MANY } from './command.ts'
import { textOf } from './lines.ts'
import { domainItems } from './member-text.ts'
import { plainText, type Result, shown } from './result.ts'
import type { Session } from './session.ts'
import { userToken } from './user-token-command.ts'
import { versionText } from './version.ts'

/** What has no place elsewhere. */
export const otherCommands: CommandGroup = {
  title: 'Other',
  commands: [
    command(
      ['get-user-token', '[authorized_service]', 'Prints the token of the caller, or one that a service may use.'],
      [0, MANY],
      (session, [service]) => userToken(session, service),
    ),
    ...pending('role', 'list-pending-role-members', 'list-pending-domain-role-members', async (session, asked) => {
      const found = await session.call('getPendingDomainRoleMembersList', asked)
      return shown(found, DomainRoleMembership.wire, () => pendingText('role', found.domainRoleMembersList ?? []))
    }),
    ...pending('group', 'list-pending-group-members', 'list-pending-domain-group-members', async (session, asked) => {
      const found = await session.call('getPendingDomainGroupMembersList', asked)
      return shown(found, DomainGroupMembership.wire, () => pendingText('group', found.domainGroupMembersList ?? []))
    }),
    command(
      [
        'get-auth-history',
        '[domain]',
        'Shows which principals have used a domain, and which domains its principals have used.',
      ],
      [0, 1],
      async (session, [word]) => {
        const domainName = givenDomain(session, word)
        const found = await session.call('getAuthHistoryDependencies', { domainName })
        return shown(found, AuthHistoryDependencies.wire)
      },
    ),
    command(['version', '', 'Prints the version of this tool.'], [0, MANY], async () => plainText(await versionText())),
  ],
}

interface Pending {
  readonly principal?: string
  readonly domainName?: string
}

function pending(
  kind: 'role' | 'group',
  name: string,
  inDomainName: string,
  list: (session: Session, asked: Pending) => Promise<Result>,
): Command[] {
  return [
    command(
      [name, '[principal]', `Lists the members of ${kind}s about whom the caller, or somebody else, may decide.`],
      [0, 1],
      (session, [principal]) => list(session, principal === undefined ? {} : { principal }),
    ),
    domainCommand(
      [inDomainName, '', `Lists the members of ${kind}s of a domain who wait for approval.`],
      [0, MANY],
      (session, domainName) => list(session, { domainName }),
    ),
  ]
}

const pendingText = (kind: 'role' | 'group', domains: Parameters<typeof domainItems>[1]): string =>
  textOf(['domains:', ...domainItems(kind, domains)])
