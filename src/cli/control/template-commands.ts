import { Command } from 'commander'
import { CommandFailure } from '../command-failure.ts'
import { makeChanges } from './change.ts'
import { addControl, audited, readPair, type Words, type WriteOptions, wordAt, wordsAt } from './control-command.ts'
import { EXIT } from './exit-status.ts'
import type { Session } from './session.ts'

/** The command `athenz template`. */
export function templateCommand(): Command {
  const template = new Command('template').description(
    'templates, which bring prepared roles and policies into domains',
  )
  addControl(template, {
    usage: 'list [domain]',
    description: 'list the templates that ZMS knows, and which version of them a domain has',
    run: list,
  })
  addControl(template, { usage: 'get <template>', description: 'print what a template brings', run: get })
  addControl<WriteOptions>(template, {
    usage: 'apply <domain> <template> [parameter...]',
    description: 'bring a template into a domain, with parameters such as name=value',
    writes: true,
    run: apply,
  })
  addControl<WriteOptions>(template, {
    usage: 'remove <domain> <template>',
    description: 'take what a template has brought out of a domain',
    writes: true,
    run: remove,
  })
  return template
}

async function list(session: Session, words: Words): Promise<number> {
  const zms = await session.zms()
  const domain = wordAt(words, 0)
  const [known, applied] = await Promise.all([
    zms.call('getServerTemplateDetailsList'),
    domain === '' ? undefined : zms.call('getDomainTemplateDetailsList', { name: domain }),
  ])
  const versions = new Map(applied?.metaData.map((each) => [each.templateName, each.currentVersion ?? 'applied']))
  const templates = known.metaData
    .map(({ templateName: name = '', latestVersion, description, keywordsToReplace }) => ({
      name,
      ...(latestVersion !== undefined && { latestVersion }),
      ...(versions.has(name) && { version: versions.get(name) }),
      ...(keywordsToReplace && { parameters: keywordsToReplace }),
      ...(description !== undefined && { description }),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const has = domain === '' ? [] : ['HAS']
  await session.print({
    value: templates,
    table: {
      columns: ['TEMPLATE', ...has, 'NEWEST', 'DESCRIPTION'],
      rows: templates.map(({ name, version, latestVersion, description }) => [
        name,
        ...has.map(() => version),
        latestVersion,
        description,
      ]),
    },
  })
  return EXIT.done
}

async function get(session: Session, words: Words): Promise<number> {
  await session.printDocument(await (await session.zms()).call('getTemplate', { template: wordAt(words, 0) }))
  return EXIT.done
}

async function apply(session: Session, words: Words, { dryRun = false, auditRef }: WriteOptions): Promise<number> {
  const { domain, template, version } = await placeOf(session, words)
  const params = wordsAt(words, 2).map((word) => {
    const [name, value] = readPair(word, 'name=value')
    return { name, value }
  })
  const body = { templateNames: [template], ...(params.length > 0 && { params }) }
  const { metadata } = await (await session.zms()).call('getTemplate', { template })
  const change = {
    subject: subjectOf(domain, template),
    ...(version !== undefined && { before: { version } }),
    after: {
      version: metadata?.latestVersion ?? 'applied',
      ...(params.length > 0 && { parameters: Object.fromEntries(params.map(({ name, value }) => [name, value])) }),
    },
    carryOut: async () =>
      (await session.zms()).call('putDomainTemplateExt', { name: domain, template, body, ...audited(auditRef) }),
  }
  return makeChanges(session, [change], { dryRun })
}

async function remove(session: Session, words: Words, { dryRun = false, auditRef }: WriteOptions): Promise<number> {
  const { domain, template, version } = await placeOf(session, words)
  if (version === undefined) {
    throw new CommandFailure(`the domain ${domain} does not have the template ${template}`, EXIT.notFound)
  }
  const change = {
    subject: subjectOf(domain, template),
    before: { version },
    carryOut: async () =>
      (await session.zms()).call('deleteDomainTemplate', { name: domain, template, ...audited(auditRef) }),
  }
  return makeChanges(session, [change], { dryRun })
}

/** A template, and the version of it that a domain has. */
async function placeOf(session: Session, words: Words) {
  const [domain, template] = [wordAt(words, 0), wordAt(words, 1).toLowerCase()]
  const { metaData } = await (await session.zms()).call('getDomainTemplateDetailsList', { name: domain })
  const mine = metaData.find(({ templateName }) => templateName === template)
  return { domain, template, version: mine && (mine.currentVersion ?? 'applied') }
}

const subjectOf = (domain: string, template: string): string => `template ${template} of domain ${domain}`
