import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { ZmsClient } from '#client/zms-client.ts'
import { CommandFailure, reasonOf } from '../command-failure.ts'
import { makeChanges } from './change.ts'
import { addControl, type Words, type WriteOptions, wordAt } from './control-command.ts'
import { absentAsUndefined, EXIT } from './exit-status.ts'
import { field, isFields, textField } from './fields.ts'
import { publicPem, type ServiceForm, serviceForm } from './service-form.ts'
import type { Session } from './session.ts'

interface CreateOptions extends WriteOptions {
  readonly description?: string
  readonly key?: string[]
}

/** The command `athenz service`. */
export function serviceCommand(): Command {
  const service = new Command('service').description('services, which show who they are by registered keys')
  const named = '<domain> <service>'
  addControl(service, { usage: 'list <domain>', description: 'list the services of a domain', run: list })
  addControl(service, { usage: `get ${named}`, description: 'print a service with its keys', run: get })
  addControl<CreateOptions>(service, {
    usage: `create ${named}`,
    description: 'create a service',
    writes: true,
    options: (command) =>
      command
        .option('--description <text>', 'what it is')
        .option('--key <id=file...>', 'public keys (PEM) by the ids under which they are known'),
    run: create,
  })
  addControl<WriteOptions>(service, {
    usage: `delete ${named}`,
    description: 'delete a service',
    writes: true,
    run: (session, words, options) => update(session, words, options, () => undefined),
  })
  addControl<WriteOptions>(service, {
    usage: `add-key ${named} <id> <file>`,
    description: 'register a public key, or replace one',
    writes: true,
    run: async (session, words, options) => {
      const [id, pem] = await readKey(`${wordAt(words, 2)}=${wordAt(words, 3)}`)
      return update(session, words, options, (form) => ({ ...form, keys: { ...form.keys, [id]: pem } }))
    },
  })
  addControl<WriteOptions>(service, {
    usage: `remove-key ${named} <id>`,
    description: 'withdraw a public key',
    writes: true,
    run: (session, words, options) => update(session, words, options, (form) => withoutKey(form, words)),
  })
  return service
}

async function list(session: Session, words: Words): Promise<number> {
  const zms = await session.zms()
  const domain = wordAt(words, 0)
  const request = { domainName: domain, publickeys: true, hosts: true }
  const { list: wires } = await zms.call('getServiceIdentities', request)
  const services = wires.map((wire) => ({ name: wire.name.slice(domain.length + 1), ...serviceForm(wire) }))
  await session.print({
    value: services,
    table: {
      columns: ['SERVICE', 'KEYS', 'DESCRIPTION'],
      rows: services.map((each) => [each.name, Object.keys(each.keys ?? {}).join(' '), textField(each, 'description')]),
    },
  })
  return EXIT.done
}

async function get(session: Session, words: Words): Promise<number> {
  const { form } = await existing(session, words)
  await session.printDocument({ name: wordAt(words, 1), ...form })
  return EXIT.done
}

async function create(session: Session, words: Words, options: CreateOptions): Promise<number> {
  const [domain, name] = [wordAt(words, 0), wordAt(words, 1)]
  if ((await read(await session.zms(), domain, name)) !== undefined) {
    throw new CommandFailure(`the service ${domain}.${name} is there already`)
  }
  const { description, key = [] } = options
  const keys = Object.fromEntries(await Promise.all(key.map(readKey)))
  const { DomainChanger } = await import('./plan.ts')
  const wish: ServiceForm = { ...(description !== undefined && { description }), keys }
  return makeChanges(session, [new DomainChanger(domain, options.auditRef).service(name, undefined, wish)], options)
}

/** Changes a service that is there; `after` gives what it shall be. */
async function update(
  session: Session,
  words: Words,
  options: WriteOptions,
  after: (form: ServiceForm) => ServiceForm | undefined,
): Promise<number> {
  const { DomainChanger, onlyChanges } = await import('./plan.ts')
  const { domain, name, form } = await existing(session, words)
  const change = new DomainChanger(domain, options.auditRef).service(name, form, after(form))
  return makeChanges(session, await onlyChanges([change]), options)
}

function withoutKey(form: ServiceForm, words: Words): ServiceForm {
  const id = wordAt(words, 2).toLowerCase()
  const keys = Object.entries(form.keys ?? {})
  if (keys.some(([known]) => known === id)) {
    return { ...form, keys: Object.fromEntries(keys.filter(([known]) => known !== id)) }
  }
  throw new CommandFailure(`${wordAt(words, 0)}.${wordAt(words, 1)} has no key ${id}`, EXIT.notFound)
}

async function readKey(word: string): Promise<[id: string, pem: string]> {
  const at = word.indexOf('=')
  if (at <= 0) throw new CommandFailure(`${word}: write ID=FILE`)
  const file = word.slice(at + 1)
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new CommandFailure(`cannot read ${file}: ${reasonOf(error)}`)
  })
  return [word.slice(0, at).toLowerCase(), publicPem(file, text)]
}

async function existing(session: Session, words: Words) {
  const [domain, name] = [wordAt(words, 0), wordAt(words, 1)]
  const form = await read(await session.zms(), domain, name)
  if (form === undefined) throw new CommandFailure(`there is no service ${domain}.${name}`, EXIT.notFound)
  return { domain, name, form }
}

async function read(zms: ZmsClient, domain: string, service: string): Promise<ServiceForm | undefined> {
  const wire: unknown = await zms.call('getServiceIdentity', { domain, service }).catch(absentAsUndefined)
  return isFields(wire) && field(wire, 'name') !== undefined ? serviceForm(wire) : undefined
}
