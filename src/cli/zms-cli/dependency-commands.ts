import { type CommandGroup, command, domainCommand, MANY } from './command.ts'
import { objectListText } from './list-text.ts'
import { done, shown } from './result.ts'

/** Which services a domain depends on, so that it is not deleted under them. */
export const dependencyCommands: CommandGroup = {
  title: 'Dependency',
  commands: [
    domainCommand(
      ['get-dependent-service-list', '', 'Lists the services that depend on a domain.'],
      [0, MANY],
      async (session, domain) => {
        const { names } = await session.call('getDependentServiceList', { domainName: domain })
        return shown(names, undefined, () =>
          objectListText('dependent-services', { domain, kind: 'service', names }, session.flags),
        )
      },
    ),
    command(
      ['get-dependent-domain-list', 'service', 'Lists the domains that a service depends on.'],
      [1, 1],
      async (session, [service = '']) => {
        const names = (await session.call('getDependentDomainList', { service })).names ?? []
        return shown(names, undefined, () =>
          objectListText('dependent-domains', { domain: service, kind: 'domain', names }, session.flags),
        )
      },
    ),
    domainCommand(
      ['put-domain-dependency', 'service', 'Notes that a service depends on a domain.'],
      [1, 1],
      async (session, domain, [service = '']) => {
        await session.call('putDomainDependency', { domainName: domain, body: { service } })
        return done(`[domain ${domain} service ${service} domain-dependency successfully updated]`)
      },
    ),
    domainCommand(
      ['delete-domain-dependency', 'service', 'Notes that a service depends on a domain no more.'],
      [1, 1],
      async (session, domain, [service = '']) => {
        await session.call('deleteDomainDependency', { domainName: domain, service })
        return done(`[domain ${domain} service ${service} domain-dependency successfully deleted]`)
      },
    ),
  ],
}
