import { AthenzClientError } from '#client/client-error.ts'
import type { OperationRequest } from '#client/operation.ts'
import type { Role } from '#zms/api/role.ts'
import type { roleMetaEndpoints } from '#zms/api/role-meta.ts'
import { readInt32, readOwners, readSwitch } from './argument-values.ts'
import { type Command, domainCommand, MANY } from './command.ts'
import { done } from './result.ts'
import type { Session } from './session.ts'
import { withoutTagValue, withTagValues } from './tag-values.ts'

type RoleMeta = OperationRequest<(typeof roleMetaEndpoints)['putRoleMeta']>['body']

type MetaRow = readonly [
  /** Word of the command after `set-role-`. */
  word: string,
  usage: string,
  summary: string,
  body: (value: string) => RoleMeta,
  /** Its word in the answer, where that is another one. */
  shownAs?: string,
]

const ROWS: readonly MetaRow[] = [
  [
    'review-enabled',
    'review-enabled',
    'Sets whether somebody else must approve members.',
    (value) => ({ reviewEnabled: readSwitch(value) }),
  ],
  [
    'delete-protection',
    'delete-protection',
    'Sets whether somebody else must approve that members are removed.',
    (value) => ({ deleteProtection: readSwitch(value) }),
  ],
  [
    'self-renew',
    'self-renew',
    'Sets whether members may extend their own memberships.',
    (value) => ({ selfRenew: readSwitch(value) }),
    'role-self-renew',
  ],
  [
    'self-renew-mins',
    'self-renew-mins',
    'Sets by how many minutes they may.',
    (value) => ({ selfRenewMins: readInt32(value) }),
    'role-self-renew-mins',
  ],
  [
    'self-serve',
    'self-serve',
    'Sets whether everybody may ask for membership.',
    (value) => ({ selfServe: readSwitch(value) }),
  ],
  [
    'max-members',
    'max-members',
    'Sets how many members there may be.',
    (value) => ({ maxMembers: readInt32(value) }),
    'role-max-members',
  ],
  [
    'member-expiry-days',
    'user-member-expiry-days',
    'Sets after how many days memberships of users end.',
    (value) => ({ memberExpiryDays: readInt32(value) }),
  ],
  [
    'service-expiry-days',
    'service-member-expiry-days',
    'Sets after how many days memberships of services end.',
    (value) => ({ serviceExpiryDays: readInt32(value) }),
  ],
  [
    'group-expiry-days',
    'group-member-expiry-days',
    'Sets after how many days memberships of groups end.',
    (value) => ({ groupExpiryDays: readInt32(value) }),
  ],
  [
    'member-review-days',
    'user-member-review-days',
    'Sets after how many days memberships of users are reviewed.',
    (value) => ({ memberReviewDays: readInt32(value) }),
  ],
  [
    'service-review-days',
    'service-member-review-days',
    'Sets after how many days memberships of services are reviewed.',
    (value) => ({ serviceReviewDays: readInt32(value) }),
  ],
  [
    'group-review-days',
    'group-member-review-days',
    'Sets after how many days memberships of groups are reviewed.',
    (value) => ({ groupReviewDays: readInt32(value) }),
  ],
  [
    'token-expiry-mins',
    'token-expiry-mins',
    'Sets the life of tokens of a role in minutes.',
    (value) => ({ tokenExpiryMins: readInt32(value) }),
  ],
  [
    'cert-expiry-mins',
    'cert-expiry-mins',
    'Sets the life of certificates of a role in minutes.',
    (value) => ({ certExpiryMins: readInt32(value) }),
    'role-cert-expiry-mins',
  ],
  [
    'token-sign-algorithm',
    'algorithm',
    'Sets with which kind of key tokens of a role are signed: rsa or ec.',
    (value) => ({ signAlgorithm: value }),
    'role-token-sign-algorithm',
  ],
  [
    'notify-roles',
    'rolename[,rolename...]',
    'Sets which roles are notified about a role.',
    (value) => ({ notifyRoles: value }),
  ],
  [
    'notify-details',
    '"notification details"',
    'Sets what notifications say besides.',
    (value) => ({ notifyDetails: value }),
  ],
  [
    'user-authority-filter',
    'attribute[,attribute...]',
    'Sets which attributes members must have.',
    (value) => ({ userAuthorityFilter: value }),
  ],
  [
    'user-authority-expiration',
    'attribute',
    'Sets which attribute of members says when their memberships end.',
    (value) => ({ userAuthorityExpiration: value }),
  ],
  ['description', 'description', 'Sets the description of a role.', (value) => ({ description: value })],
  [
    'principal-domain-filter',
    'domain-filter',
    'Sets from which domains members may be.',
    (value) => ({ principalDomainFilter: value }),
  ],
]

/** Settings of roles. */
export const roleMetaCommands: readonly Command[] = [
  domainCommand(
    ['set-role-audit-enabled', 'regular_role audit-enabled', 'Sets whether auditors must approve members.'],
    [2, 2],
    async (session, domainName, [roleName = '', value = '']) => {
      const body = { auditEnabled: readSwitch(value) }
      try {
        await session.call('putRoleSystemMeta', { domainName, roleName, attribute: 'auditenabled', body })
      } catch (error) {
        // Who does not operate the server may be allowed it as an administrator of the domain.
        if (!(error instanceof AthenzClientError) || error.status === undefined) throw error
        await putMeta(session, domainName, roleName, () => body)
      }
      return done(`[domain ${domainName} role ${roleName} audit-enabled successfully updated]`)
    },
  ),
  ...ROWS.map(([word, usage, summary, body, shownAs = word]) =>
    domainCommand(
      [`set-role-${word}`, `regular_role ${usage}`, summary],
      [2, 2],
      async (session, domainName, [roleName = '', value = '']) => {
        const changes = body(value)
        await putMeta(session, domainName, roleName, () => changes)
        return done(`[domain ${domainName} role ${roleName} ${shownAs} attribute successfully updated]`)
      },
    ),
  ),
  domainCommand(
    ['set-role-resource-ownership', 'regular_role resource-owner', 'Sets who owns the parts of a role.'],
    [2, 2],
    async (session, domainName, [roleName = '', text = '']) => {
      const body = readOwners(text, {
        objectowner: 'objectOwner',
        metaowner: 'metaOwner',
        membersowner: 'membersOwner',
      })
      await session.call('putResourceRoleOwnership', { domainName, roleName, body })
      return done(`[domain ${domainName} role ${roleName} role-resource-ownership attribute successfully updated]`)
    },
  ),
  domainCommand(
    ['add-role-tag', 'regular_role tag_key tag_value [tag_value ...]', 'Adds values to a tag of a role.'],
    [3, MANY],
    async (session, domainName, [roleName = '', key = '', ...values]) => {
      await putMeta(session, domainName, roleName, ({ tags }) => ({ tags: withTagValues(tags, key, values) }))
      return done(`[domain ${domainName} role ${roleName} tags successfully updated]`)
    },
  ),
  domainCommand(
    ['delete-role-tag', 'regular_role tag_key [tag_value]', 'Removes a tag of a role, or one of its values.'],
    [2, 3],
    async (session, domainName, [roleName = '', key = '', value]) => {
      await putMeta(session, domainName, roleName, ({ tags }) => ({ tags: withoutTagValue(tags, key, value) }))
      return done(`[domain ${domainName} role ${roleName} tags successfully deleted]`)
    },
  ),
]

/** Servers take these three for false when they are absent, and leave other settings as they are. */
async function putMeta(
  session: Session,
  domainName: string,
  roleName: string,
  change: (present: Role) => RoleMeta,
): Promise<void> {
  const present = await session.call('getRole', { domainName, roleName })
  const { selfServe = false, reviewEnabled = false, deleteProtection = false } = present
  const body = { selfServe, reviewEnabled, deleteProtection, ...change(present) }
  await session.call('putRoleMeta', { domainName, roleName, body })
}
