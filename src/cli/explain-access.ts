import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { certificateFiles } from '#client/certificate-files.ts'
import { AthenzClientError } from '#client/client-error.ts'
import { type Identity, tokenIdentity } from '#client/identity.ts'
import { ZmsClient } from '#client/zms-client.ts'
import { visible } from '#core/rbac/explanation-text.ts'
import type { AccessExplanation } from '#zms/api/access-explanation.ts'
import { CommandFailure, reasonOf } from './command-failure.ts'
import type { Context } from './control/contexts.ts'
import { contextOf } from './control/session.ts'
import type { ExplainOptions } from './explain.ts'

/** What is asked about. */
export interface ExplainQuestion {
  readonly principal: string
  readonly action: string
  readonly resource: string
}

const GRANTED = 0
const NOT_GRANTED = 1
const NO_ANSWER = 2

/**
 * Asks ZMS, prints its explanation and gives the exit status: 0 granted, 1 not granted. Throws CommandFailure with status
 * 2 when there is no answer.
 */
export async function explainAccess(
  { principal, action, resource }: ExplainQuestion,
  options: ExplainOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const context = await contextOf(options, { env, home: env['HOME'] || homedir() }).catch((error: unknown) => {
    throw error instanceof CommandFailure ? new CommandFailure(error.message, NO_ANSWER) : error
  })
  const url = options.zms ?? (env['ZMS'] || context.zms)
  const identity = await identityOf(context)
  try {
    await using zms = new ZmsClient({
      ...(url !== undefined && { url }),
      ...(context.ca !== undefined && { caFile: context.ca }),
      ...(identity && { identity }),
    })
    const { granted, explanation } = await zms.call('getAccessExt', {
      action,
      resource,
      checkPrincipal: principal,
      explain: true,
      ...(options.trustDomain !== undefined && { domain: options.trustDomain }),
    })
    if (!explanation) throw new CommandFailure('this ZMS does not explain its decisions', NO_ANSWER)
    const lines = options.json ? [JSON.stringify({ granted, explanation })] : explanationText(explanation)
    console.log(lines.join('\n'))
    return granted ? GRANTED : NOT_GRANTED
  } catch (error) {
    if (error instanceof AthenzClientError) throw new CommandFailure(error.message, NO_ANSWER)
    throw error
  } finally {
    identity?.close?.()
  }
}

async function identityOf({ certificate: certFile, key: keyFile, tokenFile }: Context): Promise<Identity | undefined> {
  if (tokenFile !== undefined) {
    const token = await readFile(tokenFile, 'utf8').catch((error: unknown) => {
      throw new CommandFailure(`${tokenFile}: ${reasonOf(error)}`, NO_ANSWER)
    })
    return tokenIdentity(token.trim())
  }
  if (certFile === undefined && keyFile === undefined) return undefined
  if (keyFile === undefined) throw new CommandFailure('--cert-file needs --key-file', NO_ANSWER)
  const files = { key: keyFile, ...(certFile !== undefined && { certificate: certFile }) }
  return certificateFiles(files).catch((error: unknown) => {
    throw new CommandFailure(reasonOf(error), NO_ANSWER)
  })
}

type Told = AccessExplanation
type Role = Told['roles'][number]
type Lapse = NonNullable<Role['lapses']>[number]
type Assertion = Told['assertions'][number]

/** An explanation for people, line by line; invisible characters are spelled out. */
export function explanationText(told: Told): string[] {
  const { summary, domain, modified, roles, moreRoles, decidedBy, nearestMisses, remedies } = told
  return [
    summary,
    ...(modified === undefined ? [] : [`domain ${domain} was changed last on ${modified}`]),
    ...callerText(told),
    ...(decidedBy ? ['decided by', `  ${assertionText(decidedBy)}`] : []),
    ...(told.refusal === undefined && roles.length === 0 ? ['holds no role of the domain'] : []),
    ...(roles.length === 0 ? [] : ['roles', ...roles.map((role) => `  ${roleText(role)}`)]),
    ...(moreRoles === undefined ? [] : [`  and ${moreRoles} more`]),
    ...section('nearest', nearestMisses.map(missText)),
    ...section(
      'to make it pass, any of these',
      remedies.map(({ text }) => text),
    ),
  ].map(visible)
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)]

function callerText({ caller, principal }: Told): string[] {
  const { roles = [], moreRoles = 0 } = caller
  if (roles.length > 0) return [`the credential names ${[...roles, ...(moreRoles > 0 ? ['…'] : [])].join(', ')}`]
  return caller.principal === principal ? [] : [`asked by ${caller.principal}`]
}

function roleText({ role, held, via, member, group, trustRole, expiration, lapses = [] }: Role): string {
  if (!held) return `${role}: not held, ${lapses.map(lapseText).join(', ')}`
  const through = [
    ...(trustRole === undefined ? [] : [`delegated, assumed by ${trustRole}`]),
    ...(group === undefined ? [] : [`through ${group}`]),
    ...(via === 'credential' ? ['named by the credential'] : []),
    ...(member === undefined ? [] : [`as ${member}`]),
    ...(expiration === undefined ? [] : [`until ${expiration}`]),
  ]
  return `${role}: ${through.join(', ')}`
}

function lapseText({ state, member, group, expiration, disabledBy, requestedBy }: Lapse): string {
  const where = group === undefined ? '' : ` in ${group}`
  if (state === 'pending')
    return `${member}${where} awaits a decision${requestedBy ? ` (asked for by ${requestedBy})` : ''}`
  if (state === 'disabled') return `${member}${where} is disabled (${(disabledBy ?? []).join(', ')})`
  return `${member}${where} has expired${expiration === undefined ? '' : ` on ${expiration}`}`
}

function assertionText({ effect, role, action, resource, policy, version, active, conditions }: Assertion): string {
  const of = version === undefined ? policy : `${policy} version ${version}${active ? '' : ', not active'}`
  const more = conditions ? '; it has conditions that ZMS does not look at' : ''
  return `${effect} ${role} ${action} ${resource} (policy ${of})${more}`
}

const MISSES = new Map([
  ['version', 'the version is not active'],
  ['action', 'another action'],
  ['resource', 'another resource'],
  ['role', 'the role is not held'],
])

const missText = (assertion: Assertion): string => {
  const { misses, standing } = assertion
  const texts = misses.map((miss) =>
    miss === 'role' && standing === 'unknown' ? 'there is no such role' : (MISSES.get(miss) ?? miss),
  )
  return `${assertionText(assertion)}: ${texts.join(', ')}`
}
