import { DomainTemplateList, ServerTemplateList, Template } from '#zms/api/template.ts'
import { groupLines, roleLines } from './collection-text.ts'
import { type CommandGroup, command, domainCommand, givenDomain, MANY } from './command.ts'
import { section } from './domain-text.ts'
import { CommandRefusal } from './failure.ts'
import { fields } from './lines.ts'
import { blockText, listText } from './list-text.ts'
import type { NameStyle } from './names.ts'
import { policyLines } from './policy-text.ts'
import { message, shown } from './result.ts'
import { serviceLines } from './service-text.ts'

/** Templates of the server, and those that domains have. */
export const templateCommands: CommandGroup = {
  title: 'Template',
  commands: [
    command(['list-server-template', '', 'Lists the templates of the server.'], [0, MANY], async (session) => {
      const list = await session.call('getServerTemplateList', {})
      return shown(list, ServerTemplateList.wire, () => listText('templates', list.templateNames ?? []))
    }),
    command(
      ['list-domain-template', '[domain]', 'Lists the templates that a domain has.'],
      [0, 1],
      async (session, [word]) => {
        const list = await session.call('getDomainTemplateList', { name: givenDomain(session, word) })
        return shown(list, DomainTemplateList.wire, () => listText('templates', list.templateNames ?? []))
      },
    ),
    command(
      ['show-server-template', 'template', 'Shows what a template puts into a domain.'],
      [1, 1],
      async (session, [name = '']) => {
        const template = await session.call('getTemplate', { template: name })
        return shown(template, Template.wire, () => blockText('template', templateLines(name, template, session.flags)))
      },
    ),
    domainCommand(
      [
        'set-domain-template',
        'template [template ...] [param-key=param-value ...]',
        'Puts templates into a domain, with values for their parameters.',
      ],
      [1, MANY],
      async (session, domain, words) => {
        const templateNames = words.filter((word) => !word.includes('='))
        if (templateNames.length === 0) throw new CommandRefusal('no template names specified')
        const params = words.filter((word) => word.includes('=')).map(parameter)
        const body = { templateNames, ...(params.length > 0 && { params }) }
        await session.call('putDomainTemplate', { name: domain, body })
        return message('[Template(s) successfully applied to domain]')
      },
    ),
    domainCommand(
      ['delete-domain-template', 'template', 'Takes out of a domain what a template has put there.'],
      [1, 1],
      async (session, domain, [template = '']) => {
        await session.call('deleteDomainTemplate', { name: domain, template })
        return message(`[Deleted template: ${template}]`)
      },
    ),
  ],
}

// A value may have equals signs, too.
function parameter(word: string): { name: string; value: string } {
  const at = word.indexOf('=')
  return { name: word.slice(0, at), value: word.slice(at + 1) }
}

function templateLines(name: string, template: Template, style: NameStyle): string[] {
  const { metadata, roles, policies, groups = [], services = [] } = template
  return [
    ...(metadata === undefined
      ? []
      : section(
          'metadata',
          fields([
            ['template-name', name],
            ['description', metadata.description],
            ['keywords-to-replace', metadata.keywordsToReplace],
            ['latest-version', metadata.latestVersion],
            ['auto-update', metadata.autoUpdate],
          ]).map((line) => `- ${line}`),
        )),
    ...section(
      'roles',
      (roles ?? []).flatMap((role) => roleLines(role, style)),
    ),
    ...(groups.length === 0
      ? []
      : section(
          'groups',
          groups.flatMap((group) => groupLines(group, style)),
        )),
    ...section(
      'policies',
      (policies ?? []).flatMap((policy) => policyLines(policy, style)),
    ),
    ...(services.length === 0 ? [] : section('services', services.flatMap(serviceLines))),
  ]
}
