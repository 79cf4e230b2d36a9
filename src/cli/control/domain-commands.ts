import { Command } from 'commander'
import { CommandFailure } from '../command-failure.ts'
import { makeChanges } from './change.ts'
import { addControl, type WriteOptions, wordAt, wordsAt } from './control-command.ts'
import { EXIT } from './exit-status.ts'
import type { Session } from './session.ts'

/** The command `athenz domain`. */
export function domainCommand(): Command {
  const domain = new Command('domain').description('domains, which hold roles, groups, policies and services')

  addControl<ListOptions>(domain, {
    usage: 'list [prefix]',
    description: 'list the names of domains',
    options: (command) => command.option('--member <principal>', 'only those in which somebody is a member of a role'),
    run: listDomains,
  })
  addControl(domain, {
    usage: 'get <domain>',
    description: 'print a domain with all that it has, in the form that athenz apply takes',
    run: getDomain,
  })
  addControl<WriteOptions & { readonly admin?: string[] }>(domain, {
    usage: 'create <domain>',
    description: 'create a domain',
    writes: true,
    options: (command) => command.option('--admin <principal...>', 'who administers it (default: you)'),
    run: createDomain,
  })
  addControl<WriteOptions>(domain, {
    usage: 'set <domain> <setting...>',
    description: 'change settings: memberExpiryDays=90, description="Weather data"; an empty value removes one',
    writes: true,
    run: setDomain,
  })
  addControl<WriteOptions>(domain, {
    usage: 'delete <domain>',
    description: 'delete a domain with all that it has',
    writes: true,
    run: deleteDomain,
  })
  return domain
}

interface ListOptions extends WriteOptions {
  readonly member?: string
}

async function listDomains(session: Session, words: readonly unknown[], { member }: ListOptions): Promise<number> {
  const [prefix] = words
  const zms = await session.zms()
  const asked = { ...(typeof prefix === 'string' && { prefix }), ...(member !== undefined && { roleMember: member }) }
  const names = (await zms.call('getDomainList', asked)).names ?? []
  await session.print({ value: names, table: { columns: ['DOMAIN'], rows: names.map((name) => [name]) } })
  return EXIT.done
}

async function getDomain(session: Session, words: readonly (string | readonly string[])[]): Promise<number> {
  const { manifestOf, readDomain } = await import('./domain-state.ts')
  const domain = wordAt(words, 0)
  const state = await readDomain(await session.zms(), domain)
  if (state === undefined) throw absent(domain)
  const manifest = manifestOf(domain, state)
  await session.printDocument(manifest)
  return EXIT.done
}

async function createDomain(
  session: Session,
  words: readonly (string | readonly string[])[],
  { admin, dryRun = false, auditRef }: WriteOptions & { readonly admin?: string[] },
): Promise<number> {
  const { DomainChanger } = await import('./plan.ts')
  const caller = (await session.identity())?.name
  const admins = admin ?? (caller === undefined ? [] : [caller])
  return makeChanges(session, [new DomainChanger(wordAt(words, 0), auditRef).create(admins)], { dryRun })
}

async function setDomain(
  session: Session,
  words: readonly (string | readonly string[])[],
  { dryRun = false, auditRef }: WriteOptions,
): Promise<number> {
  const { settingsOf } = await import('./domain-state.ts')
  const { readAssignments, readSettings } = await import('./manifest.ts')
  const { DomainChanger, onlyChanges } = await import('./plan.ts')
  const domain = wordAt(words, 0)
  const wish = readSettings(readAssignments(wordsAt(words, 1)))
  const settings = await settingsOf(await session.zms(), domain)
  if (settings === undefined) throw absent(domain)
  const change = new DomainChanger(domain, auditRef).settings(settings, wish)
  return makeChanges(session, await onlyChanges([change]), { dryRun })
}

async function deleteDomain(
  session: Session,
  words: readonly (string | readonly string[])[],
  { dryRun = false, auditRef }: WriteOptions,
): Promise<number> {
  const { manifestOf, readDomain } = await import('./domain-state.ts')
  const { DomainChanger } = await import('./plan.ts')
  const domain = wordAt(words, 0)
  const state = await readDomain(await session.zms(), domain)
  if (state === undefined) throw absent(domain)
  return makeChanges(session, [new DomainChanger(domain, auditRef).deletion(manifestOf(domain, state))], { dryRun })
}

const absent = (domain: string): CommandFailure => new CommandFailure(`there is no domain ${domain}`, EXIT.notFound)
