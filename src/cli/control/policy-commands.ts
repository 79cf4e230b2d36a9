import { Command, InvalidArgumentError } from 'commander'
import type { ZmsClient } from '#client/zms-client.ts'
import { CommandFailure } from '../command-failure.ts'
import { makeChanges } from './change.ts'
import { addConditions } from './condition-commands.ts'
import { addControl, type Words, type WriteOptions, wordAt, wordsAt } from './control-command.ts'
import { absentAsUndefined, EXIT } from './exit-status.ts'
import { type Fields, field, isFields, textField } from './fields.ts'
import { type PolicyForm, policyForm, readPolicy } from './policy-form.ts'
import { addPolicyVersions } from './policy-version-commands.ts'
import type { WaitOptions } from './policy-wait.ts'
import type { Session, SessionOptions } from './session.ts'

interface GetOptions extends SessionOptions {
  readonly version?: string
}

const WAIT_SECONDS = 60

/** The command `athenz policy`. */
export function policyCommand(): Command {
  const policy = new Command('policy').description('policies, which say what roles may do')
  const named = '<domain> <policy>'
  addControl(policy, { usage: 'list <domain>', description: 'list the policies of a domain', run: list })
  addControl<GetOptions>(policy, {
    usage: `get ${named}`,
    description: 'print a policy',
    options: (command) => command.option('--version <version>', 'one of its versions (default: the one that counts)'),
    run: get,
  })
  addControl<WriteOptions>(policy, {
    usage: `create ${named} [assertion...]`,
    description: 'create a policy: "grant read to readers on rain.*" "deny delete to readers on rain.*"',
    writes: true,
    run: create,
  })
  addControl<WriteOptions>(policy, {
    usage: `delete ${named}`,
    description: 'delete a policy',
    writes: true,
    run: remove,
  })
  addControl<WriteOptions>(policy, {
    usage: `add-assertion ${named} <assertion...>`,
    description: 'add assertions to a policy',
    writes: true,
    run: (session, words, options) => change(session, words, options, 'add'),
  })
  addControl<WriteOptions>(policy, {
    usage: `remove-assertion ${named} <assertion...>`,
    description: 'remove assertions from a policy',
    writes: true,
    run: (session, words, options) => change(session, words, options, 'remove'),
  })
  addConditions(policy)
  addPolicyVersions(policy)
  addControl<WaitOptions>(policy, {
    usage: 'wait <domain>',
    description: 'wait until ZTS serves what ZMS has of a domain',
    options: (command) =>
      command
        .option('--modified <time>', 'wait for the domain as it was changed then (default: last)', parseTime)
        .option('--timeout <seconds>', 'how long', parseSeconds, WAIT_SECONDS),
    negative: 'it does not serve it in time',
    run: async (session, words, options) =>
      (await import('./policy-wait.ts')).waitForPolicies(session, wordAt(words, 0), options),
  })
  return policy
}

async function list(session: Session, words: Words): Promise<number> {
  const zms = await session.zms()
  const domain = wordAt(words, 0)
  const { list: wires } = await zms.call('getPolicies', { domainName: domain, assertions: true })
  const policies = wires.map((wire) => ({ name: localName(domain, wire), ...policyForm(domain, wire) }))
  const rows = policies.map(({ name, assertions }) => [name, assertions.length])
  await session.print({ value: policies, table: { columns: ['POLICY', 'ASSERTIONS'], rows } })
  return EXIT.done
}

async function get(session: Session, words: Words, { version }: GetOptions): Promise<number> {
  const { form } = await existing(session, words, version)
  await session.printDocument({ name: wordAt(words, 1), ...form })
  return EXIT.done
}

async function create(session: Session, words: Words, options: WriteOptions): Promise<number> {
  const [domain, name] = [wordAt(words, 0), wordAt(words, 1)]
  if ((await read(await session.zms(), domain, name)) !== undefined) {
    throw new CommandFailure(`the policy ${domain}:policy.${name} is there already`)
  }
  const wish = readPolicy(`policy ${name}`, domain, { assertions: wordsAt(words, 2) })
  const { DomainChanger } = await import('./plan.ts')
  return makeChanges(session, [new DomainChanger(domain, options.auditRef).policy(name, undefined, wish)], options)
}

async function remove(session: Session, words: Words, options: WriteOptions): Promise<number> {
  const { DomainChanger } = await import('./plan.ts')
  const { domain, name, form } = await existing(session, words)
  return makeChanges(session, [new DomainChanger(domain, options.auditRef).policy(name, form, undefined)], options)
}

async function change(session: Session, words: Words, options: WriteOptions, what: 'add' | 'remove'): Promise<number> {
  const { DomainChanger, onlyChanges } = await import('./plan.ts')
  const { domain, name, form, version } = await existing(session, words)
  const given = readPolicy(`policy ${name}`, domain, { assertions: wordsAt(words, 2) }).assertions
  const has = new Set(form.assertions.map(keyOf))
  const named = new Set(given.map(keyOf))
  const missing = what === 'remove' ? given.find((assertion) => !has.has(keyOf(assertion))) : undefined
  if (missing !== undefined) {
    throw new CommandFailure(`${domain}:policy.${name} has no assertion ${keyOf(missing)}`, EXIT.notFound)
  }
  const assertions =
    what === 'add'
      ? [...form.assertions, ...given.filter((assertion) => !has.has(keyOf(assertion)))]
      : form.assertions.filter((assertion) => !named.has(keyOf(assertion)))
  const wish = readPolicy(`policy ${name}`, domain, { assertions })
  const changer = new DomainChanger(domain, options.auditRef)
  return makeChanges(session, await onlyChanges([changer.policy(name, form, wish, version)]), options)
}

const keyOf = (assertion: unknown): string => (typeof assertion === 'string' ? assertion : JSON.stringify(assertion))

async function existing(session: Session, words: Words, version?: string) {
  const [domain, name] = [wordAt(words, 0), wordAt(words, 1)]
  const found = await read(await session.zms(), domain, name, version)
  if (found === undefined) {
    const which = version === undefined ? '' : `version ${version} of `
    throw new CommandFailure(`there is no ${which}policy ${domain}:policy.${name}`, EXIT.notFound)
  }
  return { domain, name, ...found }
}

async function read(
  zms: ZmsClient,
  domainName: string,
  policyName: string,
  version?: string,
): Promise<{ form: PolicyForm; version: string } | undefined> {
  const place = { domainName, policyName }
  const asked =
    version === undefined ? zms.call('getPolicy', place) : zms.call('getPolicyVersion', { ...place, version })
  const wire: unknown = await asked.catch(absentAsUndefined)
  if (!isFields(wire) || field(wire, 'name') === undefined) return undefined
  return { form: policyForm(domainName, wire), version: textField(wire, 'version') ?? '0' }
}

const localName = (domain: string, wire: Fields): string =>
  (textField(wire, 'name') ?? '').slice(`${domain}:policy.`.length)

function parseTime(text: string): Date {
  const time = new Date(text)
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError('Write 2030-01-31T12:00:00Z.')
  return time
}

function parseSeconds(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('Write a number of seconds.')
  return Number(text)
}
