import { Command } from 'commander'
import { ProgressLine } from '../progress.ts'
import { makeChanges } from './change.ts'
import { addControl, type WriteOptions } from './control-command.ts'
import type { Session } from './session.ts'

interface ApplyOptions extends WriteOptions {
  readonly file: string
  readonly prune?: boolean
}

const FORM = `
The file, YAML or JSON, has one domain per document; what it does not name stays as it is, null takes a setting away. A member
named without a date keeps the one it has; one later than the settings of days allow stands for the latest that they do. Files of keys are found from the folder of the file. "athenz domain get DOMAIN -o yaml" prints a domain in this form.

  domain: weather
  admins: [user.jane]          # who administers it, when it is created
  settings: {memberExpiryDays: 90}
  groups:
    team: {members: [user.joe]}
  roles:
    readers:
      members: [sports.api, {name: "weather:group.team", expiration: 2030-01-31T00:00:00Z}]
  policies:
    readers:
      assertions: [grant read to readers on rain.*]
  services:
    api: {keys: {v1: {file: api.pub.pem}}}`

/** Adds the command `athenz apply`. */
export function addApply(program: Command): void {
  const command = addControl<ApplyOptions>(program, {
    usage: 'apply',
    description: 'make domains what a file says; a second run changes nothing',
    writes: true,
    options: (each) =>
      each
        .requiredOption('-f, --file <file>', 'the file; - is standard input')
        .option(
          '--prune',
          'delete the groups, roles, policies and services that the file does not name, but for admin',
        ),
    run: apply,
  })
  command.addHelpText('after', FORM)
}

async function apply(session: Session, _words: unknown, options: ApplyOptions): Promise<number> {
  const { readManifests } = await import('./manifest.ts')
  const { readDomain } = await import('./domain-state.ts')
  const { planDomain } = await import('./plan.ts')
  const { file, prune = false, auditRef } = options
  const manifests = await readManifests(file)
  const zms = await session.zms()
  const changes = []
  const progress = new ProgressLine()
  try {
    for (const manifest of manifests) {
      progress.show(`reading ${manifest.domain}`)
      changes.push(
        ...(await planDomain(manifest, await readDomain(zms, manifest.domain), { prune, auditRef, now: Date.now() })),
      )
    }
  } finally {
    progress.end()
  }
  return makeChanges(session, changes, options)
}
