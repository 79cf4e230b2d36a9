import type { Command } from 'commander'
import type { ZmsClient } from '#client/zms-client.ts'
import { CommandFailure } from '../command-failure.ts'
import { makeChanges } from './change.ts'
import { addControl, audited, type Words, type WriteOptions, wordAt } from './control-command.ts'
import { absentAsUndefined, EXIT } from './exit-status.ts'
import type { Session } from './session.ts'

interface CreateOptions extends WriteOptions {
  readonly from?: string
}

/** Adds what `athenz policy` can do with versions, of which one counts at a time. */
export function addPolicyVersions(policy: Command): void {
  const named = '<domain> <policy> <version>'
  addControl(policy, {
    usage: 'versions <domain> <policy>',
    description: 'list the versions of a policy, of which one counts',
    run: list,
  })
  addControl<CreateOptions>(policy, {
    usage: `create-version ${named}`,
    description: 'make a version as a copy that does not count yet',
    writes: true,
    options: (command) => command.option('--from <version>', 'the version to copy (default: the one that counts)'),
    run: create,
  })
  addControl<WriteOptions>(policy, {
    usage: `activate ${named}`,
    description: 'make a version the one that counts',
    writes: true,
    run: activate,
  })
  addControl<WriteOptions>(policy, {
    usage: `delete-version ${named}`,
    description: 'delete a version that does not count',
    writes: true,
    run: remove,
  })
}

async function list(session: Session, words: Words): Promise<number> {
  const { versions, activeVersion } = await existing(session, words)
  const shown = versions.map(({ version, assertionCount, conditionCount, modified }) => ({
    version,
    active: version === activeVersion,
    assertions: assertionCount,
    conditions: conditionCount,
    ...(modified !== undefined && { modified }),
  }))
  await session.print({
    value: shown,
    table: {
      columns: ['VERSION', 'ACTIVE', 'ASSERTIONS', 'WITH CONDITIONS', 'CHANGED'],
      rows: shown.map((each) => [
        each.version,
        each.active ? 'yes' : undefined,
        each.assertions,
        each.conditions,
        each.modified,
      ]),
    },
  })
  return EXIT.done
}

async function create(session: Session, words: Words, { from, dryRun = false, auditRef }: CreateOptions) {
  const { place, version, versions, activeVersion } = await existing(session, words)
  if (versions.some((each) => each.version === version)) {
    throw new CommandFailure(`${nameOf(words)} has a version ${version} already`)
  }
  const copied = from?.toLowerCase() ?? activeVersion
  if (copied !== undefined) requireVersion(words, versions, copied)
  const body = { version, ...(copied !== undefined && { fromVersion: copied }) }
  const change = {
    subject: `version ${version} of policy ${nameOf(words)}`,
    after: { copyOf: copied ?? null },
    carryOut: (zms: ZmsClient) => zms.call('putPolicyVersion', { ...place, body, ...audited(auditRef) }),
  }
  return makeChanges(session, [change], { dryRun })
}

async function activate(session: Session, words: Words, { dryRun = false, auditRef }: WriteOptions): Promise<number> {
  const { place, version, versions, activeVersion } = await existing(session, words)
  requireVersion(words, versions, version)
  const change = {
    subject: `policy ${nameOf(words)}`,
    before: { activeVersion },
    after: { activeVersion: version },
    carryOut: (zms: ZmsClient) =>
      zms.call('setActivePolicyVersion', { ...place, body: { version }, ...audited(auditRef) }),
  }
  return makeChanges(session, version === activeVersion ? [] : [change], { dryRun })
}

async function remove(session: Session, words: Words, { dryRun = false, auditRef }: WriteOptions): Promise<number> {
  const { place, version, versions } = await existing(session, words)
  const { assertionCount } = requireVersion(words, versions, version)
  const change = {
    subject: `version ${version} of policy ${nameOf(words)}`,
    before: { assertions: assertionCount },
    carryOut: (zms: ZmsClient) => zms.call('deletePolicyVersion', { ...place, version, ...audited(auditRef) }),
  }
  return makeChanges(session, [change], { dryRun })
}

/** A policy with its versions, and the version that the command is about. */
async function existing(session: Session, words: Words) {
  const place = { domainName: wordAt(words, 0), policyName: wordAt(words, 1) }
  const zms = await session.zms()
  const found = await zms.call('searchAssertions', { ...place, limit: 1 }).catch(absentAsUndefined)
  if (found === undefined) throw new CommandFailure(`there is no policy ${nameOf(words)}`, EXIT.notFound)
  return { place, version: wordAt(words, 2).toLowerCase(), ...found.policy }
}

function requireVersion<T extends { readonly version: string }>(
  words: Words,
  versions: readonly T[],
  version: string,
): T {
  const found = versions.find((each) => each.version === version)
  if (found !== undefined) return found
  throw new CommandFailure(`${nameOf(words)} has no version ${version}`, EXIT.notFound)
}

const nameOf = (words: Words): string => `${wordAt(words, 0)}:policy.${wordAt(words, 1)}`
