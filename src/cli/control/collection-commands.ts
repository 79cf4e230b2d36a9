import { Command } from 'commander'
import type { ZmsClient } from '#client/zms-client.ts'
import { CommandFailure } from '../command-failure.ts'
import { makeChanges } from './change.ts'
import {
  type CollectionForm,
  type CollectionKind,
  collectionForm,
  type MemberForm,
  memberOf,
  nameOfMember,
  sorted,
  timeText,
} from './collection-form.ts'
import { addControl, audited, type Words, type WriteOptions, wordAt, wordsAt } from './control-command.ts'
import { absentAsUndefined, EXIT } from './exit-status.ts'
import { field, isFields, textField } from './fields.ts'
import type { Session } from './session.ts'

interface CreateOptions extends WriteOptions {
  readonly member?: string[]
  readonly trust?: string
  readonly set?: string[]
}

interface ReviewOptions extends WriteOptions {
  readonly remove?: string[]
}

interface MemberOptions extends WriteOptions {
  readonly until?: string
  readonly review?: string
}

const ABOUT: Readonly<Record<CollectionKind, string>> = {
  role: 'roles, whose members policies speak about',
  group: 'groups, which are members of roles',
}

/** The commands `athenz role` and `athenz group`. */
export function collectionCommand(kind: CollectionKind): Command {
  const command = new Command(kind).description(ABOUT[kind])
  const named = `<domain> <${kind}>`
  addControl(command, {
    usage: 'list <domain>',
    description: `list the ${kind}s of a domain`,
    run: (session, words) => list(session, kind, wordAt(words, 0)),
  })
  addControl(command, {
    usage: `get ${named}`,
    description: `print a ${kind}`,
    run: (session, words) => get(session, kind, words),
  })
  addControl<CreateOptions>(command, {
    usage: `create ${named}`,
    description: `create a ${kind}`,
    writes: true,
    options: (each) => {
      each.option('--member <principal...>', 'its members')
      if (kind === 'role') each.option('--trust <domain>', 'delegate it to another domain, which then has its members')
      return each.option('--set <setting...>', 'settings: memberExpiryDays=90 selfServe=true')
    },
    run: (session, words, options) => create(session, kind, words, options),
  })
  addControl<WriteOptions>(command, {
    usage: `set ${named} <setting...>`,
    description: 'change settings: memberExpiryDays=90 selfServe=true; an empty value removes one',
    writes: true,
    run: (session, words, options) => set(session, kind, words, options),
  })
  addControl<WriteOptions>(command, {
    usage: `delete ${named}`,
    description: `delete a ${kind}`,
    writes: true,
    run: (session, words, options) => remove(session, kind, words, options),
  })
  addControl<MemberOptions>(command, {
    usage: `add-member ${named} <member...>`,
    description: 'add members, or change the dates of those that are there',
    writes: true,
    options: (each) => {
      each.option('--until <time>', 'when they cease to be members, e.g. 2030-01-31')
      return kind === 'role' ? each.option('--review <time>', 'when they are to be reviewed') : each
    },
    run: (session, words, options) => addMembers(session, kind, words, options),
  })
  addControl<WriteOptions>(command, {
    usage: `remove-member ${named} <member...>`,
    description: 'remove members',
    writes: true,
    run: (session, words, options) => removeMembers(session, kind, words, options),
  })
  addControl<ReviewOptions>(command, {
    usage: `review ${named}`,
    description: 'note that its members were reviewed; those who stay get new dates where settings limit them',
    writes: true,
    options: (each) => each.option('--remove <member...>', 'those who do not stay'),
    run: (session, words, options) => review(session, kind, words, options),
  })
  return command
}

async function list(session: Session, kind: CollectionKind, domainName: string): Promise<number> {
  const zms = await session.zms()
  const request = { domainName, members: true }
  const reply = kind === 'role' ? await zms.call('getRoles', request) : await zms.call('getGroups', request)
  const prefix = `${domainName}:${kind}.`
  const entries = reply.list.filter(isFields).map((wire) => {
    const name = (textField(wire, 'name') ?? '').slice(prefix.length)
    return { name, ...collectionForm(kind, wire) }
  })
  await session.print({
    value: entries,
    table: {
      columns: [kind.toUpperCase(), 'MEMBERS', ...(kind === 'role' ? ['TRUST'] : []), 'DESCRIPTION'],
      rows: entries.map((entry) => [
        entry.name,
        entry.members?.length ?? '',
        ...(kind === 'role' ? [textField(entry, 'trust')] : []),
        textField(entry, 'description'),
      ]),
    },
  })
  return EXIT.done
}

async function get(session: Session, kind: CollectionKind, words: Words): Promise<number> {
  const { form } = await existing(session, kind, words)
  await session.printDocument({ name: wordAt(words, 1), ...form })
  return EXIT.done
}

async function create(session: Session, kind: CollectionKind, words: Words, options: CreateOptions): Promise<number> {
  const { readAssignments, readCollectionForm } = await import('./manifest.ts')
  const [domain, name] = [wordAt(words, 0), wordAt(words, 1)]
  if ((await read(await session.zms(), kind, domain, name)) !== undefined) {
    throw new CommandFailure(`the ${kind} ${domain}:${kind}.${name} is there already`)
  }
  const { member = [], trust, set: settings = [], dryRun = false, auditRef } = options
  const wish = readCollectionForm(kind, name, {
    ...readAssignments(settings),
    ...(trust !== undefined && { trust }),
    ...(trust === undefined && { members: member }),
  })
  const { DomainChanger } = await import('./plan.ts')
  const change = new DomainChanger(domain, auditRef).collection(kind, name, undefined, wish)
  return makeChanges(session, [change], { dryRun })
}

async function set(session: Session, kind: CollectionKind, words: Words, options: WriteOptions): Promise<number> {
  const { readAssignments, readCollectionForm } = await import('./manifest.ts')
  const { DomainChanger, onlyChanges } = await import('./plan.ts')
  const { domain, name, form } = await existing(session, kind, words)
  const wish = readCollectionForm(kind, name, readAssignments(wordsAt(words, 2)))
  const change = new DomainChanger(domain, options.auditRef).collection(kind, name, form, wish)
  return makeChanges(session, await onlyChanges([change]), options)
}

async function remove(session: Session, kind: CollectionKind, words: Words, options: WriteOptions): Promise<number> {
  const { DomainChanger } = await import('./plan.ts')
  const { domain, name, form } = await existing(session, kind, words)
  const change = new DomainChanger(domain, options.auditRef).collection(kind, name, form, undefined)
  return makeChanges(session, [change], options)
}

async function addMembers(
  session: Session,
  kind: CollectionKind,
  words: Words,
  options: MemberOptions,
): Promise<number> {
  const { domain, name, form } = await existing(session, kind, words)
  const expiration = timeText('--until', options.until)
  const reviewReminder = timeText('--review', options.review)
  const added = wordsAt(words, 2).map((member) => memberOf(member.toLowerCase(), expiration, reviewReminder))
  const before = form.members ?? []
  const changes = added.flatMap((member) => {
    const known = before.find((each) => nameOfMember(each) === nameOfMember(member))
    if (known !== undefined && JSON.stringify(known) === JSON.stringify(member)) return []
    return [memberChange({ kind, domain, name, auditRef: options.auditRef }, known, member)]
  })
  return makeChanges(session, changes, options)
}

async function removeMembers(
  session: Session,
  kind: CollectionKind,
  words: Words,
  options: WriteOptions,
): Promise<number> {
  const { domain, name, form } = await existing(session, kind, words)
  const place = { kind, domain, name, auditRef: options.auditRef }
  const removed = membersNamed(place, form, wordsAt(words, 2))
  return makeChanges(
    session,
    sorted(removed).map((member) => memberChange(place, member, undefined)),
    options,
  )
}

async function review(session: Session, kind: CollectionKind, words: Words, options: ReviewOptions): Promise<number> {
  const { domain, name, form } = await existing(session, kind, words)
  const place = { kind, domain, name, auditRef: options.auditRef }
  const removed = membersNamed(place, form, options.remove ?? []).map(nameOfMember)
  const leaving = new Set(removed)
  const kept = (form.members ?? []).map(nameOfMember).filter((member) => !leaving.has(member))
  const change = {
    subject: `review of ${kind} ${domain}:${kind}.${name}`,
    after: { ...(kept.length > 0 && { kept }), ...(removed.length > 0 && { removed }) },
    carryOut: (zms: ZmsClient) => carryOutReview(zms, place, { kept, removed }),
  }
  return makeChanges(session, [change], options)
}

function carryOutReview(
  zms: ZmsClient,
  { kind, domain, name, auditRef }: Place,
  { kept, removed }: Readonly<Record<'kept' | 'removed', readonly string[]>>,
): Promise<unknown> {
  const members = [
    ...kept.map((memberName) => ({ memberName, active: true })),
    ...removed.map((memberName) => ({ memberName, active: false })),
  ]
  const asked = { domainName: domain, ...audited(auditRef) }
  return kind === 'role'
    ? zms.call('putRoleReview', { ...asked, roleName: name, body: { name, roleMembers: members } })
    : zms.call('putGroupReview', { ...asked, groupName: name, body: { name, groupMembers: members } })
}

/** Members by their names, as they are now. Throws a CommandFailure for one that is none. */
function membersNamed({ kind, domain, name }: Place, form: CollectionForm, names: readonly string[]) {
  const members = new Map(form.members?.map((member) => [nameOfMember(member), member]))
  return names.map((each) => {
    const known = members.get(each.toLowerCase())
    if (known !== undefined) return known
    throw new CommandFailure(`${each} is no member of ${domain}:${kind}.${name}`, EXIT.notFound)
  })
}

interface Place {
  readonly kind: CollectionKind
  readonly domain: string
  readonly name: string
  readonly auditRef: string | undefined
}

/** A change of one member: the others stay as they are even when somebody changes them at the same time. */
function memberChange(
  { kind, domain, name, auditRef }: Place,
  before: string | MemberForm | undefined,
  after: string | MemberForm | undefined,
) {
  const memberName = nameOfMember(after ?? before ?? '')
  const audit = audited(auditRef)
  const dates = typeof after === 'object' ? after : undefined
  const body = {
    memberName,
    ...(dates?.expiration !== undefined && { expiration: dates.expiration }),
    ...(dates?.reviewReminder !== undefined && { reviewReminder: dates.reviewReminder }),
  }
  return {
    subject: `member ${memberName} of ${kind} ${domain}:${kind}.${name}`,
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
    carryOut: (zms: ZmsClient): Promise<unknown> => {
      if (kind === 'role') {
        const place = { domainName: domain, roleName: name, memberName, ...audit }
        return after === undefined ? zms.call('deleteMembership', place) : zms.call('putMembership', { ...place, body })
      }
      const place = { domainName: domain, groupName: name, memberName, ...audit }
      return after === undefined
        ? zms.call('deleteGroupMembership', place)
        : zms.call('putGroupMembership', { ...place, body })
    },
  }
}

async function existing(session: Session, kind: CollectionKind, words: Words) {
  const [domain, name] = [wordAt(words, 0), wordAt(words, 1)]
  const form = await read(await session.zms(), kind, domain, name)
  if (form === undefined) throw new CommandFailure(`there is no ${kind} ${domain}:${kind}.${name}`, EXIT.notFound)
  return { domain, name, form }
}

async function read(
  zms: ZmsClient,
  kind: CollectionKind,
  domainName: string,
  name: string,
): Promise<CollectionForm | undefined> {
  const asked: Promise<unknown> =
    kind === 'role'
      ? zms.call('getRole', { domainName, roleName: name })
      : zms.call('getGroup', { domainName, groupName: name })
  const wire = await asked.catch(absentAsUndefined)
  return isFields(wire) && field(wire, 'name') !== undefined ? collectionForm(kind, wire) : undefined
}
