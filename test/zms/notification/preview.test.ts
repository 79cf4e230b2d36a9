import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type PreviewedDay, previewRuns } from '#zms/notification/preview.ts'
import { Harness } from '../service/harness.ts'
import { commit, role } from '../service/objects.ts'

const DAY_MILLIS = 86_400_000

/** Days, with recipients and topics, and requests that would be rejected. */
const shown = ({ rejected, notifications }: PreviewedDay) => [
  ...rejected.map(({ kind, domain, collection, member }) => `rejected ${kind} ${domain}:${collection} ${member}`),
  ...notifications.map(({ recipients, sections }) =>
    [recipients.join(' '), ...sections.map(({ topic }) => topic)].join(' '),
  ),
]

async function preview(zms: Harness, days: number, digest = false): Promise<string[][]> {
  const { config } = zms.deps
  const parts = {
    config: { ...config, notification: { ...config.notification, digest } },
    queries: zms.store,
  }
  const found: string[][] = []
  for await (const day of previewRuns(parts, { from: zms.clock.millis, days })) found.push(shown(day))
  return found
}

describe('a preview', () => {
  test('shows day by day what the daily runs would do, and does nothing of it', async () => {
    const zms = await Harness.open({ services: [] })
    await zms.createDomain('sports')
    const now = zms.clock.millis
    await commit(zms, ...role('sports', 'r', [{ memberName: 'user.joe', expiration: now + 3 * DAY_MILLIS }]), {
      kind: 'putPendingRoleMember',
      domain: 'sports',
      role: 'r',
      value: { memberName: 'user.slow', requestTime: now - 28 * DAY_MILLIS, pendingState: 'ADD' },
    })
    const { modified } = await zms.domain('sports')
    const expected = [
      ['user.admin user.owner roleReminder', 'user.admin user.owner roleExpiryAdmin', 'user.joe roleExpiry'],
      [],
      ['user.joe roleExpiry', 'user.admin user.owner roleExpiryAdmin'],
      ['rejected role sports:r user.slow', 'user.joe roleExpiry', 'user.admin user.owner roleExpiryAdmin'],
      [],
    ]
    assert.deepEqual(await preview(zms, 5), expected)
    assert.deepEqual(await preview(zms, 5), expected)
    assert.equal((await zms.domain('sports')).modified, modified)
  })

  test('leaves out what people were told of today', async () => {
    const zms = await Harness.open({ services: [] })
    await zms.createDomain('sports')
    const expiration = zms.clock.millis + DAY_MILLIS
    const told = { memberName: 'user.joe', expiration, lastNotifiedTime: zms.clock.millis }
    await commit(zms, ...role('sports', 'r', [told]))
    const [today, tomorrow] = await preview(zms, 2)
    assert.deepEqual([today, tomorrow?.length], [[], 2])
  })

  test('puts together what a digest would', async () => {
    const zms = await Harness.open({ services: [] })
    await zms.createDomain('sports')
    const member = { memberName: 'user.admin', expiration: zms.clock.millis + DAY_MILLIS }
    await commit(zms, ...role('sports', 'r', [member]))
    assert.deepEqual(await preview(zms, 1, true), [
      ['user.admin roleExpiry roleExpiryAdmin', 'user.owner roleExpiryAdmin'],
    ])
  })
})
