import { UserList } from '#zms/api/user.ts'
import { type Command, type CommandGroup, command, givenDomain, MANY } from './command.ts'
import { listText } from './list-text.ts'
import { principalName } from './names.ts'
import { done, message, shown } from './result.ts'

/** What system administrators do. */
export const administratorCommands: CommandGroup = {
  title: 'System Administrator',
  commands: [
    command(
      ['set-default-admins', 'domain admin [admin ...]', 'Makes principals the only administrators of a domain.'],
      [1, MANY],
      async (session, [domain = '', ...words]) => {
        const admins = words.map((word) => principalName(word, session.flags.userDomain))
        await session.call('putDefaultAdmins', { domainName: domain, body: { admins } })
        return done(`[domain ${domain} administrators successfully set]`)
      },
    ),
    command(
      ['list-user', '[domain]', 'Lists the users that are named anywhere.'],
      [0, MANY],
      async (session, [domain]) => {
        const users = await session.call('getUserList', domain === undefined ? {} : { domainName: domain })
        return shown(users, UserList.wire, () => listText('users', users.names))
      },
    ),
    command(['delete-user', 'user', 'Removes a user from all domains.'], [1, 1], async (session, [name = '']) => {
      await session.call('deleteUser', { name })
      return message(`[Deleted user: ${name}]`)
    }),
    enabling('disable-domain', false, 'Suspends a domain.'),
    enabling('enable-domain', true, 'Ends the suspension of a domain.'),
    suspending('disable-principal', true, 'Suspends the memberships of a principal.'),
    suspending('enable-principal', false, 'Ends the suspension of a principal.'),
  ],
}

function enabling(name: string, enabled: boolean, summary: string): Command {
  return command([name, '[domain]', summary], [0, 1], async (session, [word]) => {
    const domain = givenDomain(session, word)
    await session.call('putDomainSystemMeta', { name: domain, attribute: 'enabled', body: { enabled } })
    return done(`[domain ${domain} metadata successfully updated]`)
  })
}

function suspending(name: string, suspended: boolean, summary: string): Command {
  return command([name, 'principal', summary], [1, 1], async (session, [principal = '']) => {
    await session.call('putPrincipalState', { principalName: principal, body: { suspended } })
    return message(`[Principal: ${principal} state has been updated]`)
  })
}
