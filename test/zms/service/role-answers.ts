/** A role `r1` in a request, with members given by name or in full. */
export const body = (members: readonly (string | object)[] = [], more: object = {}) => ({
  name: 'r1',
  roleMembers: members.map((member) => (typeof member === 'string' ? { memberName: member } : member)),
  ...more,
})

/** What tests look at in a member of an answer. */
export interface ShownMember {
  memberName: string
  pendingState?: string
}

/** Names of the members in an answer, those of requests with what is asked for; in order of their names. */
export const names = (answer: { roleMembers?: ShownMember[] }): string[] =>
  (answer.roleMembers ?? [])
    .map(({ memberName, pendingState }) => (pendingState ? `${memberName} ${pendingState}` : memberName))
    .sort()

/** Puts members of an answer, which come in no particular order, in that of their names. */
export const byName = (a: ShownMember, b: ShownMember): number => (a.memberName < b.memberName ? -1 : 1)

/** An entry of a role's history in words: `ADD user.joe by user.admin`. */
export const historyOf = ({ action, member, admin }: Record<string, string>): string =>
  `${action} ${member} by ${admin}`
