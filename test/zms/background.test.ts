import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { startBackground } from '#zms/background.ts'
import { SolutionTemplates } from '#zms/service/solution-templates.ts'
import { Harness } from './service/harness.ts'
import { commit, role } from './service/objects.ts'

const userAuthority: Authority = {
  id: 'Auth-USERS',
  credentialSource: 'header',
  allowAuthorization: true,
  suspendedPrincipals: () => Promise.resolve(['user.alice']),
}
const template = { metadata: { latestVersion: 2, autoUpdate: true }, roles: [{ name: 'fresh' }] }
const templates = SolutionTemplates.parse(JSON.stringify({ templates: { old: template } }))

/** What the jobs have done to a domain once they were started and stopped again. */
async function outcome(properties: Readonly<Record<string, string>>) {
  const zms = await Harness.open({ services: [], userAuthority, parts: { templates }, properties })
  await zms.createDomain('sports')
  await commit(zms, ...role('sports', 'r', ['user.alice']), {
    kind: 'putTemplate',
    domain: 'sports',
    template: 'old',
    version: 1,
  })
  await startBackground(zms.deps)()
  const { roles } = await zms.domain('sports')
  return { updated: roles.has('fresh'), suspended: roles.get('r')?.members.get('user.alice')?.systemDisabled === 2 }
}

describe('the jobs of the server', () => {
  test('do nothing unless they are switched on', async () => {
    assert.deepEqual(await outcome({}), { updated: false, suspended: false })
  })

  test('update templates', async () => {
    const properties = { auto_update_template_feature_flag: 'true' }
    assert.deepEqual(await outcome(properties), { updated: true, suspended: false })
  })

  test('change nothing in read-only mode', async () => {
    const properties = {
      read_only_mode: 'true',
      auto_update_template_feature_flag: 'true',
      enable_principal_state_updater: 'true',
    }
    assert.deepEqual(await outcome(properties), { updated: false, suspended: false })
  })

  test('take over the states of principals, at once and perhaps only once', async () => {
    const properties = { enable_principal_state_updater: 'true' }
    assert.deepEqual(await outcome(properties), { updated: false, suspended: true })
    const once = { ...properties, disable_principal_state_updater_timer_task: 'true' }
    assert.deepEqual(await outcome(once), { updated: false, suspended: true })
  })

  test('enforce the user authority at once', async () => {
    const zms = await Harness.open({ services: [], userAuthority: { ...userAuthority, isAttributeSet: () => false } })
    await zms.createDomain('sports')
    await commit(zms, ...role('sports', 'r', ['user.alice'], { userAuthorityFilter: 'staff' }))
    await startBackground(zms.deps)()
    assert.equal((await zms.domain('sports')).roles.get('r')?.members.get('user.alice')?.systemDisabled, 1)
  })

  test('notify people at once and every hour, until the end, but not in read-only mode', async () => {
    const run = async (properties: Readonly<Record<string, string>>) => {
      const zms = await Harness.open({ services: [], properties })
      const calls: string[] = []
      const waits: number[] = []
      const { promise: waited, resolve } = Promise.withResolvers<void>()
      const close = startBackground(zms.deps, {
        notifications: {
          run: async () => void calls.push('run'),
          stop: () => void calls.push('stop'),
        },
        wait: async (millis, signal) => {
          waits.push(millis)
          if (waits.length < 2) return
          resolve()
          await new Promise((ended) => signal.addEventListener('abort', ended))
        },
      })
      await waited
      await close()
      return { calls, waits }
    }
    assert.deepEqual(await run({}), { calls: ['run', 'run', 'stop'], waits: [3_600_000, 3_600_000] })
    assert.deepEqual((await run({ read_only_mode: 'true' })).calls, ['stop'])
  })
})
