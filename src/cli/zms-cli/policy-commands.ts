import type { OperationRequest } from '#client/operation.ts'
import { Policies, Policy, type policyEndpoints } from '#zms/api/policy.ts'
import { refuseIfPresent } from './absence.ts'
import { accessCommands } from './access-commands.ts'
import { readOwners } from './argument-values.ts'
import { type AssertionWords, isSameAssertion, readAssertion } from './assertion-words.ts'
import { type CommandGroup, domainCommand, MANY } from './command.ts'
import { CommandRefusal } from './failure.ts'
import { indented, textOf } from './lines.ts'
import { blockText, objectListText } from './list-text.ts'
import { fullName } from './names.ts'
import { policyLines } from './policy-text.ts'
import { done, message, plainText, type Result, shown } from './result.ts'
import type { Session } from './session.ts'
import { withoutTagValue, withTagValues } from './tag-values.ts'

type PolicyBody = OperationRequest<(typeof policyEndpoints)['putPolicy']>['body']

/** Policies, their versions and assertions, and what follows from them. */
export const policyCommands: CommandGroup = {
  title: 'Policy',
  commands: [
    domainCommand(['list-policy', '', 'Lists the policies of a domain.'], [0, MANY], async (session, domain) => {
      const { names } = await session.call('getPolicyList', { domainName: domain })
      return shown(names, undefined, () => objectListText('policies', { domain, kind: 'policy', names }, session.flags))
    }),
    domainCommand(
      ['list-policy-versions', 'policy', 'Lists the versions of a policy.'],
      [1, 1],
      async (session, domain, [policyName = '']) => {
        const { names } = await session.call('getPolicyVersionList', { domainName: domain, policyName })
        return shown(names, undefined, () =>
          objectListText('policy-versions', { domain, kind: 'version', names }, session.flags),
        )
      },
    ),
    domainCommand(
      ['show-policy', 'policy', 'Shows the active version of a policy.'],
      [1, 1],
      (session, domain, [policy = '']) => showPolicy(session, domain, policy),
    ),
    domainCommand(
      ['show-policies', '[tag_key] [tag_value]', 'Shows the policies of a domain, or those with a tag.'],
      [0, 2],
      async (session, domainName, [tagKey, tagValue]) => {
        const tag = { ...(tagKey !== undefined && { tagKey }), ...(tagValue !== undefined && { tagValue }) }
        const found = await session.call('getPolicies', {
          domainName,
          assertions: true,
          includeNonActive: false,
          ...tag,
        })
        return shown(found, Policies.wire, () => {
          const items = (found.list ?? []).flatMap((policy) => policyLines(policy, session.flags))
          return textOf(indented(4, ['policies:', ...indented(4, items)]))
        })
      },
    ),
    domainCommand(
      ['show-policy-version', 'policy version', 'Shows a version of a policy.'],
      [2, 2],
      (session, domain, [policy = '', version = '']) => showVersion(session, domain, policy, version),
    ),
    domainCommand(
      ['add-policy', 'policy [assertion] [is_case_sensitive]', 'Creates a policy, with an assertion if one is given.'],
      [1, MANY],
      async (session, domainName, [policyName = '', ...words]) => {
        const name = fullName(domainName, 'policy', policyName)
        const readPolicy = () => session.call('getPolicy', { domainName, policyName })
        await refuseIfPresent(session.flags, readPolicy, `policy already exists: ${name}`)
        const assertions = words.length === 0 ? [] : [readAssertion(domainName, words)]
        const caseSensitive = assertions.some((assertion) => assertion.caseSensitive)
        const body = { name, assertions, ...(caseSensitive && { caseSensitive }) }
        return showPut(session, domainName, policyName, body)
      },
    ),
    domainCommand(
      [
        'add-policy-version',
        'policy version source_version',
        'Copies a version of a policy: first its name, then that of the copy.',
      ],
      [3, 3],
      async (session, domainName, [policyName = '', fromVersion = '', version = '']) => {
        const name = fullName(domainName, 'policy', policyName)
        const readVersion = () => session.call('getPolicyVersion', { domainName, policyName, version })
        await refuseIfPresent(
          session.flags,
          readVersion,
          `policy version already exists: ${name} with version ${version}`,
        )
        const body = { version, fromVersion }
        const made = await session.call('putPolicyVersion', { domainName, policyName, returnObj: true, body })
        if (session.flags.bulk) return plainText('')
        return made ? shownPolicy(session, made) : showVersion(session, domainName, policyName, version)
      },
    ),
    domainCommand(
      ['add-assertion', 'policy assertion [is_case_sensitive]', 'Adds an assertion to the active version of a policy.'],
      [1, MANY],
      async (session, domainName, [policyName = '', ...words]) => {
        await session.call('putAssertion', { domainName, policyName, body: readAssertion(domainName, words) })
        return session.flags.bulk ? plainText('') : showPolicy(session, domainName, policyName)
      },
    ),
    domainCommand(
      [
        'add-assertion-policy-version',
        'policy version assertion [is_case_sensitive]',
        'Adds an assertion to a version of a policy.',
      ],
      [2, MANY],
      async (session, domainName, [policyName = '', version = '', ...words]) => {
        const body = readAssertion(domainName, words)
        await session.call('putAssertionPolicyVersion', { domainName, policyName, version, body })
        return session.flags.bulk ? plainText('') : showVersion(session, domainName, policyName, version)
      },
    ),
    domainCommand(
      ['delete-assertion', 'policy assertion', 'Removes an assertion from the active version of a policy.'],
      [1, MANY],
      async (session, domainName, [policyName = '', ...words]) => {
        const policy = await session.call('getPolicy', { domainName, policyName })
        return showPut(session, domainName, policyName, withoutAssertion(policy, readAssertion(domainName, words)))
      },
    ),
    domainCommand(
      [
        'delete-assertion-policy-version',
        'policy version assertion',
        'Removes an assertion from a version of a policy.',
      ],
      [2, MANY],
      async (session, domainName, [policyName = '', version = '', ...words]) => {
        const policy = await session.call('getPolicyVersion', { domainName, policyName, version })
        return showPut(session, domainName, policyName, withoutAssertion(policy, readAssertion(domainName, words)))
      },
    ),
    domainCommand(
      ['delete-policy', 'policy', 'Deletes a policy with all its versions.'],
      [1, 1],
      async (session, domainName, [policyName = '']) => {
        await session.call('deletePolicy', { domainName, policyName })
        return message(`[Deleted policy: ${policyName}]`)
      },
    ),
    domainCommand(
      ['delete-policy-version', 'policy version', 'Deletes a version of a policy that is not the active one.'],
      [2, 2],
      async (session, domainName, [policyName = '', version = '']) => {
        await session.call('deletePolicyVersion', { domainName, policyName, version })
        return message(`[Deleted policy: ${policyName} with version: ${version}]`)
      },
    ),
    domainCommand(
      ['set-active-policy-version', 'policy version', 'Makes a version of a policy the active one.'],
      [2, 2],
      async (session, domainName, [policyName = '', version = '']) => {
        await session.call('setActivePolicyVersion', { domainName, policyName, body: { version } })
        return message(`[Set active policy: ${policyName} with version: ${version}]`)
      },
    ),
    ...accessCommands,
    domainCommand(
      ['add-policy-tag', 'policy tag_key tag_value [tag_value ...]', 'Adds values to a tag of a policy.'],
      [3, MANY],
      async (session, domainName, [policyName = '', key = '', ...values]) => {
        const policy = await session.call('getPolicy', { domainName, policyName })
        const body = { ...contentsOf(policy), tags: withTagValues(policy.tags, key, values) }
        await session.call('putPolicy', { domainName, policyName, body })
        return done(`[domain ${domainName} Policy ${policyName} tags successfully updated]`)
      },
    ),
    domainCommand(
      ['delete-policy-tag', 'policy tag_key [tag_value]', 'Removes a tag of a policy, or one of its values.'],
      [2, 3],
      async (session, domainName, [policyName = '', key = '', value]) => {
        const policy = await session.call('getPolicy', { domainName, policyName })
        if (policy.tags === undefined) return done(`[domain ${domainName} Policy ${policyName} has no tags]`)
        const body = { ...contentsOf(policy), tags: withoutTagValue(policy.tags, key, value) }
        await session.call('putPolicy', { domainName, policyName, body })
        return done(`[domain ${domainName} Policy ${policyName} tags successfully deleted]`)
      },
    ),
    domainCommand(
      ['set-policy-resource-ownership', 'policy resource-owner', 'Sets who owns the parts of a policy.'],
      [2, 2],
      async (session, domainName, [policyName = '', text = '']) => {
        const body = readOwners(text, { objectowner: 'objectOwner', assertionsowner: 'assertionsOwner' })
        await session.call('putResourcePolicyOwnership', { domainName, policyName, body })
        return done(
          `[domain ${domainName} policy ${policyName} policy-resource-ownership attribute successfully updated]`,
        )
      },
    ),
  ],
}

/** A policy as it is sent back; the server knows times and owners by itself. */
function contentsOf({ modified: _time, resourceOwnership: _owners, assertions, ...policy }: Policy): PolicyBody {
  return { ...policy, assertions: assertions ?? [] }
}

function withoutAssertion(policy: Policy, unwanted: AssertionWords): PolicyBody {
  const body = contentsOf(policy)
  const assertions = body.assertions.filter((assertion) => !isSameAssertion(assertion, unwanted))
  if (assertions.length === body.assertions.length) {
    throw new CommandRefusal('policy does not have the specified assertion')
  }
  return { ...body, assertions }
}

async function showPut(session: Session, domainName: string, policyName: string, body: PolicyBody): Promise<Result> {
  const made = await session.call('putPolicy', { domainName, policyName, returnObj: true, body })
  if (session.flags.bulk) return plainText('')
  return made ? shownPolicy(session, made) : showPolicy(session, domainName, policyName)
}

const showPolicy = async (session: Session, domainName: string, policyName: string): Promise<Result> =>
  shownPolicy(session, await session.call('getPolicy', { domainName, policyName }))

const shownPolicy = (session: Session, policy: Policy, heading = 'policy'): Result =>
  shown(policy, Policy.wire, () => blockText(heading, policyLines(policy, session.flags)))

async function showVersion(session: Session, domainName: string, policyName: string, version: string): Promise<Result> {
  const policy = await session.call('getPolicyVersion', { domainName, policyName, version })
  return shownPolicy(session, policy, 'policy-version')
}
