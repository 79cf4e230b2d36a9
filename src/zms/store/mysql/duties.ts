import type { SqlValue } from '#core/database/mysql-connection.ts'
import type { Auditor, DecidableRequest, DueReview, DutyQueries, DutyQuery, EndingMembership } from '../duties.ts'
import type { PendingState } from '../model.ts'
import { timeOf } from './columns.ts'
import { byName, exactly } from './sql-text.ts'

/** Sends a query and gives its rows. */
type Ask = <R>(sql: string, values: readonly SqlValue[]) => Promise<R[]>

/** The table of roles or groups, with the columns of their periods. */
interface Collections {
  readonly kind: 'role' | 'group'
  readonly table: string
  readonly id: string
  readonly members: string
  readonly pending: string
  readonly periods: readonly string[]
  /** Those that have members of their own. */
  readonly condition: string
}

const COLLECTIONS: readonly Collections[] = [
  {
    kind: 'role',
    table: 'role',
    id: 'role_id',
    members: 'role_member',
    pending: 'pending_role_member',
    periods: ['member', 'service', 'group'].flatMap((of) => [`c.${of}_expiry_days`, `c.${of}_review_days`]),
    condition: "AND c.trust = ''",
  },
  {
    kind: 'group',
    table: 'principal_group',
    id: 'group_id',
    members: 'principal_group_member',
    pending: 'pending_principal_group_member',
    periods: ['c.member_expiry_days', 'c.service_expiry_days'],
    condition: '',
  },
]

/** Memberships of a principal in roles `admin` that count, with their domain `d`; takes the name twice, and the time. */
const ADMINISTERED = `principal p JOIN role_member m ON m.principal_id = p.principal_id
  JOIN role a ON a.role_id = m.role_id JOIN domain d ON d.domain_id = a.domain_id
  WHERE ${exactly('p.name')} AND a.name = 'admin' AND m.system_disabled = 0
  AND (m.expiration IS NULL OR m.expiration >= ?)`

const administrator = ({ principal, at }: DutyQuery): SqlValue[] => [principal, principal, new Date(at)]

/** No period is longer, and days of it are still a number of seconds. */
const NO_PERIOD_DAYS = 2 ** 31
const SECONDS_PER_DAY_AND_PERCENT = 864

/** What somebody has to do, asked of the tables. */
export class TableDuties implements DutyQueries {
  readonly #ask: Ask

  constructor(ask: Ask) {
    this.#ask = ask
  }

  async administeredDomains(query: DutyQuery): Promise<string[]> {
    const rows = await this.#ask<{ name: string }>(
      `SELECT d.name FROM ${ADMINISTERED} ORDER BY ${byName('d.name')}`,
      administrator(query),
    )
    return rows.map(({ name }) => name)
  }

  async dueReviews(query: DutyQuery & { readonly percent: number }): Promise<DueReview[]> {
    const found = await Promise.all(
      COLLECTIONS.map(async ({ kind, table, periods, condition }) => {
        const shortest = `LEAST(${periods.map((days) => `IF(${days} > 0, ${days}, ${NO_PERIOD_DAYS})`).join(', ')})`
        // A time that no date can express is none, and never due.
        const due = `COALESCE(c.last_reviewed_time, c.created) + INTERVAL ${shortest} * ? SECOND`
        const seconds = SECONDS_PER_DAY_AND_PERCENT * query.percent
        const rows = await this.#ask<{ domain: string; name: string; due: Date; reviewed: Date | null }>(
          `SELECT o.name AS domain, c.name, ${due} AS due, c.last_reviewed_time AS reviewed
           FROM (SELECT d.domain_id, d.name FROM ${ADMINISTERED}) o JOIN ${table} c ON c.domain_id = o.domain_id
           WHERE (${periods.map((days) => `${days} > 0`).join(' OR ')}) ${condition} AND ${due} <= ?`,
          [seconds, ...administrator(query), seconds, new Date(query.at)],
        )
        return rows.map(({ domain, name, due: at, reviewed }): DueReview => {
          const lastReviewedDate = timeOf(reviewed)
          return { kind, domain, name, due: at.getTime(), ...(lastReviewedDate !== undefined && { lastReviewedDate }) }
        })
      }),
    )
    return found.flat()
  }

  async decidableRequests({
    auditor,
    ...query
  }: DutyQuery & { readonly auditor: Auditor }): Promise<DecidableRequest[]> {
    const found = await Promise.all(
      COLLECTIONS.map(async ({ kind, table, id, pending }) => {
        const rows = await this.#ask<RequestRow>(
          `SELECT d.name AS domain, d.org, d.audit_enabled AS domain_audited, c.name, c.audit_enabled AS audited, p.name AS member,
           r.req_principal AS requester, r.req_time AS requested, r.audit_ref AS reason, r.pending_state AS state, r.expiration
           FROM ${pending} r JOIN ${table} c ON c.${id} = r.${id} JOIN domain d ON d.domain_id = c.domain_id
           JOIN principal p ON p.principal_id = r.principal_id
           WHERE c.audit_enabled = 1 OR c.domain_id IN (SELECT d.domain_id FROM ${ADMINISTERED})`,
          administrator(query),
        )
        return rows
          .filter(({ audited, domain, org }) => audited === 0 || auditor.domains.has(domain) || auditor.orgs.has(org))
          .map((row): DecidableRequest => {
            const { domain, name } = row
            return { kind, domain, name, pending: requestOf(row), ...(isAudited(row) && { audited: true }) }
          })
      }),
    )
    return found.flat()
  }

  async endingMemberships(principal: string, before: number): Promise<EndingMembership[]> {
    const found = await Promise.all(
      COLLECTIONS.map(async ({ kind, table, id, members }) => {
        const rows = await this.#ask<EndingRow>(
          `SELECT d.name AS domain, d.audit_enabled AS domain_audited, c.name, c.audit_enabled AS audited, m.expiration,
           IF(c.self_renew = 1, c.self_renew_mins, 0) AS renewal
           FROM principal p JOIN ${members} m ON m.principal_id = p.principal_id
           JOIN ${table} c ON c.${id} = m.${id} JOIN domain d ON d.domain_id = c.domain_id
           WHERE ${exactly('p.name')} AND m.expiration < ?`,
          [principal, principal, new Date(before)],
        )
        return rows.map(
          ({ domain, name, expiration, renewal, ...row }): EndingMembership => ({
            kind,
            domain,
            name,
            expiration: expiration.getTime(),
            ...(renewal > 0 && { selfRenewMins: renewal }),
            ...(isAudited(row) && { audited: true }),
          }),
        )
      }),
    )
    return found.flat()
  }
}

/** Whether a role or group is audited, and whether its domain is. */
interface AuditFlags {
  readonly audited: number
  readonly domain_audited: number
}

/** A change needs a reason. */
const isAudited = ({ audited, domain_audited: domainAudited }: AuditFlags): boolean => audited + domainAudited > 0

interface EndingRow extends AuditFlags {
  readonly domain: string
  readonly name: string
  readonly expiration: Date
  /** Minutes, 0 for none. */
  readonly renewal: number
}

interface RequestRow extends AuditFlags {
  readonly domain: string
  readonly org: string
  readonly name: string
  readonly member: string
  readonly requester: string
  readonly requested: Date | null
  readonly reason: string | null
  readonly state: PendingState
  readonly expiration: Date | null
}

function requestOf(row: RequestRow): DecidableRequest['pending'] {
  const { member, requester, requested, reason, state } = row
  const expiration = timeOf(row.expiration)
  return {
    memberName: member,
    requestTime: timeOf(requested) ?? 0,
    pendingState: state,
    ...(requester !== '' && { requestPrincipal: requester }),
    ...(reason !== null && { auditRef: reason }),
    ...(expiration !== undefined && { expiration }),
  }
}
