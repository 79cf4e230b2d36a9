import { AthenzClientError } from '#client/client-error.ts'
import type { OperationRequest } from '#client/operation.ts'
import type { Group } from '#zms/api/group.ts'
import type { groupMetaEndpoints } from '#zms/api/group-meta.ts'
import { readInt32, readOwners, readSwitch } from './argument-values.ts'
import { type Command, domainCommand, MANY } from './command.ts'
import { done } from './result.ts'
import type { Session } from './session.ts'
import { withoutTagValue, withTagValues } from './tag-values.ts'

type GroupMeta = OperationRequest<(typeof groupMetaEndpoints)['putGroupMeta']>['body']

type MetaRow = readonly [
  /** Word of the command after `set-group-`. */
  word: string,
  usage: string,
  summary: string,
  body: (value: string) => GroupMeta,
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
    'group-self-renew',
  ],
  [
    'self-renew-mins',
    'self-renew-mins',
    'Sets by how many minutes they may.',
    (value) => ({ selfRenewMins: readInt32(value) }),
    'group-self-renew-mins',
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
    'group-max-members',
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
    'notify-roles',
    'rolename[,rolename...]',
    'Sets which roles are notified about a group.',
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
  [
    'principal-domain-filter',
    'domain-filter',
    'Sets from which domains members may be.',
    (value) => ({ principalDomainFilter: value }),
  ],
]

/** Settings of groups. */
export const groupMetaCommands: readonly Command[] = [
  domainCommand(
    ['set-group-audit-enabled', 'group audit-enabled', 'Sets whether auditors must approve members.'],
    [2, 2],
    async (session, domainName, [groupName = '', value = '']) => {
      const body = { auditEnabled: readSwitch(value) }
      try {
        await session.call('putGroupSystemMeta', { domainName, groupName, attribute: 'auditenabled', body })
      } catch (error) {
        // Who does not operate the server may be allowed it as an administrator of the domain.
        if (!(error instanceof AthenzClientError) || error.status === undefined) throw error
        await putMeta(session, domainName, groupName, () => body)
      }
      return done(`[domain ${domainName} group ${groupName} audit-enabled successfully updated]`)
    },
  ),
  ...ROWS.map(([word, usage, summary, body, shownAs = word]) =>
    domainCommand(
      [`set-group-${word}`, `group ${usage}`, summary],
      [2, 2],
      async (session, domainName, [groupName = '', value = '']) => {
        const changes = body(value)
        await putMeta(session, domainName, groupName, () => changes)
        return done(`[domain ${domainName} group ${groupName} ${shownAs} attribute successfully updated]`)
      },
    ),
  ),
  domainCommand(
    ['set-group-resource-ownership', 'group resource-owner', 'Sets who owns the parts of a group.'],
    [2, 2],
    async (session, domainName, [groupName = '', text = '']) => {
      const body = readOwners(text, {
        objectowner: 'objectOwner',
        metaowner: 'metaOwner',
        membersowner: 'membersOwner',
      })
      await session.call('putResourceGroupOwnership', { domainName, groupName, body })
      return done(`[domain ${domainName} group ${groupName} group-resource-ownership attribute successfully updated]`)
    },
  ),
  domainCommand(
    ['add-group-tag', 'group tag_key tag_value [tag_value ...]', 'Adds values to a tag of a group.'],
    [3, MANY],
    async (session, domainName, [groupName = '', key = '', ...values]) => {
      await putMeta(session, domainName, groupName, ({ tags }) => ({ tags: withTagValues(tags, key, values) }))
      return done(`[domain ${domainName} group ${groupName} tags successfully updated]`)
    },
  ),
  domainCommand(
    ['delete-group-tag', 'group tag_key [tag_value]', 'Removes a tag of a group, or one of its values.'],
    [2, 3],
    async (session, domainName, [groupName = '', key = '', value]) => {
      await putMeta(session, domainName, groupName, ({ tags }) => ({ tags: withoutTagValue(tags, key, value) }))
      return done(`[domain ${domainName} group ${groupName} tags successfully deleted]`)
    },
  ),
]

/** Servers take these three for false when they are absent, and leave other settings as they are. */
async function putMeta(
  session: Session,
  domainName: string,
  groupName: string,
  change: (present: Group) => GroupMeta,
): Promise<void> {
  const present = await session.call('getGroup', { domainName, groupName })
  const { selfServe = false, reviewEnabled = false, deleteProtection = false } = present
  const body = { selfServe, reviewEnabled, deleteProtection, ...change(present) }
  await session.call('putGroupMeta', { domainName, groupName, body })
}
