/** What a notification is about, and how its message is worded. */
export interface TopicText {
  /** Type of the original, by which those who receive notifications may tell them apart. */
  readonly type: string
  /** To whom it is addressed: who is concerned, or who looks after the domain. */
  readonly audience: 'member' | 'admin'
  /** The topic in `athenz.notification.email.{subject}.subject`. */
  readonly subject: string
  /** Name of the list of facts in data. */
  readonly list: 'rolesList' | 'groupsList' | 'membersList' | 'certificatesList'
  /** First sentence of the message. */
  readonly opening: string
  /** What the reader may do about it. */
  readonly advice: string
  /** Which page helps. */
  readonly page: 'workflow' | 'ui'
  /** Member of an item with the date that people are told of some days before. */
  readonly date?: 'expiration' | 'reviewReminder'
}

const roleOf = { list: 'rolesList', page: 'ui' } as const
const groupOf = { list: 'groupsList', page: 'ui' } as const
const membersOf = { audience: 'admin', list: 'membersList', page: 'ui' } as const
const decided = { audience: 'member', page: 'ui', advice: 'Nothing has to be done.' } as const
const requested = { audience: 'admin', page: 'workflow' } as const

const DECIDE = 'Approve or reject what is asked for; requests that nobody decides are rejected after some time.'
const EXTEND =
  'Without a new date the access ends at that time. Ask the administrators of the domain to extend it, or extend it yourself where the note says that you may.'
const EXTEND_OTHERS = 'Extend those that are still needed; without a new date they end at that time.'
const REVIEW = 'The administrators of the domain will look at it; tell them if it is still needed.'
const REVIEW_OTHERS = 'Review these memberships: confirm those that are still needed, and remove the others.'

const TOPICS = {
  roleApproval: {
    ...requested,
    type: 'ROLE_MEMBER_APPROVAL',
    subject: 'membership.approval',
    list: 'membersList',
    opening: 'A change of the members of a role awaits your decision:',
    advice: DECIDE,
  },
  groupApproval: {
    ...requested,
    type: 'GROUP_MEMBER_APPROVAL',
    subject: 'group_membership.approval',
    list: 'membersList',
    opening: 'A change of the members of a group awaits your decision:',
    advice: DECIDE,
  },
  roleReminder: {
    ...requested,
    type: 'PENDING_ROLE_APPROVAL',
    subject: 'membership.reminder',
    list: 'membersList',
    opening: 'These changes of the members of roles still await your decision:',
    advice: DECIDE,
  },
  groupReminder: {
    ...requested,
    type: 'PENDING_GROUP_APPROVAL',
    subject: 'group_membership.reminder',
    list: 'membersList',
    opening: 'These changes of the members of groups still await your decision:',
    advice: DECIDE,
  },
  roleExpiry: {
    ...roleOf,
    date: 'expiration',
    type: 'ROLE_MEMBER_EXPIRY',
    audience: 'member',
    subject: 'role_member.expiry',
    opening: 'These memberships in roles, of yourself or of what you look after, are about to end:',
    advice: EXTEND,
  },
  roleExpiryAdmin: {
    ...membersOf,
    date: 'expiration',
    type: 'ROLE_MEMBER_EXPIRY',
    subject: 'domain.role_member.expiry',
    opening: 'These memberships in roles of your domains are about to end:',
    advice: EXTEND_OTHERS,
  },
  roleReview: {
    ...roleOf,
    date: 'reviewReminder',
    type: 'ROLE_MEMBER_REVIEW',
    audience: 'member',
    subject: 'role_member.review',
    opening: 'These memberships in roles, of yourself or of what you look after, are about to be reviewed:',
    advice: REVIEW,
  },
  roleReviewAdmin: {
    ...membersOf,
    date: 'reviewReminder',
    type: 'ROLE_MEMBER_REVIEW',
    subject: 'domain.role_member.review',
    opening: 'These memberships in roles of your domains are to be reviewed:',
    advice: REVIEW_OTHERS,
  },
  groupExpiry: {
    ...groupOf,
    date: 'expiration',
    type: 'GROUP_MEMBER_EXPIRY',
    audience: 'member',
    subject: 'group_member.expiry',
    opening: 'These memberships in groups, of yourself or of what you look after, are about to end:',
    advice: EXTEND,
  },
  groupExpiryAdmin: {
    ...membersOf,
    date: 'expiration',
    type: 'GROUP_MEMBER_EXPIRY',
    subject: 'domain.group_member.expiry',
    opening: 'These memberships in groups of your domains are about to end:',
    advice: EXTEND_OTHERS,
  },
  roleApproved: {
    ...roleOf,
    ...decided,
    type: 'ROLE_MEMBER_DECISION',
    subject: 'pending_role_membership.decision.approval',
    opening: 'A requested change of the members of a role was approved:',
  },
  roleRejected: {
    ...roleOf,
    ...decided,
    type: 'ROLE_MEMBER_DECISION',
    subject: 'pending_role_membership.decision.reject',
    opening: 'A requested change of the members of a role was rejected:',
  },
  groupApproved: {
    ...groupOf,
    ...decided,
    type: 'GROUP_MEMBER_DECISION',
    subject: 'pending_group_membership.decision.approval',
    opening: 'A requested change of the members of a group was approved:',
  },
  groupRejected: {
    ...groupOf,
    ...decided,
    type: 'GROUP_MEMBER_DECISION',
    subject: 'pending_group_membership.decision.reject',
    opening: 'A requested change of the members of a group was rejected:',
  },
  certificateRefresh: {
    type: 'CERT_FAIL_REFRESH',
    audience: 'admin',
    subject: 'unrefreshed_certs',
    list: 'certificatesList',
    opening: 'These certificates of your services have not been refreshed for some time, and expire or have expired:',
    advice: 'Check the agents that refresh them, or remove the instances that are no more.',
    page: 'ui',
  },
} as const satisfies Readonly<Record<string, TopicText>>

/** What people are told of. */
export type NotificationTopic = keyof typeof TOPICS

/** The wording of each topic, in the order in which the sections of a digest stand. */
export const topics: Readonly<Record<NotificationTopic, TopicText>> = TOPICS
export const topicNames = Object.keys(TOPICS) as readonly NotificationTopic[]
