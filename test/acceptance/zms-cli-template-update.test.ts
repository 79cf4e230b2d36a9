import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { athenzTools } from '../support/athenz-tools.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { ZmsCli } from '../support/zms-cli.ts'
import { ADMIN } from './describe-zms-cli.ts'

/** A file with one template, whose policy allows as many actions as it has versions. */
const versionOf = (latestVersion: number) => ({
  templates: {
    readers: {
      metadata: { latestVersion, description: 'Readers', autoUpdate: true, timestamp: '2026-01-15T00:00:00.000Z' },
      roles: [{ name: '_domain_:role.readers' }],
      policies: [
        {
          name: '_domain_:policy.readers',
          assertions: ['read', 'list']
            .slice(0, latestVersion)
            .map((action) => ({ role: '_domain_:role.readers', resource: '_domain_:*', action })),
        },
      ],
    },
  },
})
const showsPolicy = (...actions: string[]) =>
  `policy: - name: readers version: 0 active: true assertions: ${actions
    .map((action) => `- grant ${action} to readers on *`)
    .join(' ')}`

const tools = await athenzTools(['zms-cli'])
test('zms-cli sees new versions of templates after a start', {
  skip: 'skipped' in tools && tools.skipped,
}, async () => {
  const [dir, folder] = [temporaryFolder(), temporaryFolder()]
  const file = join(folder, 'templates.json')
  const walk = async (version: number, steps: (zms: ZmsCli) => Promise<void>) => {
    await writeFile(file, JSON.stringify(versionOf(version)))
    const settings = {
      'athenz.zms.solution_templates_fname': file,
      'athenz.zms.auto_update_template_feature_flag': 'true',
    }
    await using servers = await startDevServers({ dir, zts: false, settings })
    await steps(new ZmsCli('folder' in tools ? tools.folder : '', servers.summary, folder))
  }

  await walk(1, async (zms) => {
    await zms.prints(ADMIN, 'add-domain club 1 user.owner', '[domain created: club]')
    await zms.prints(
      'user.owner',
      '-d club set-domain-template readers',
      '[Template(s) successfully applied to domain]',
    )
    await zms.prints('user.owner', '-d club show-policy readers', showsPolicy('read'))
    await zms.prints('user.owner', '-d club add-member readers user.bob', '[Added to readers: user.bob]')
  })
  await walk(2, async (zms) => {
    // The update runs beside the first requests.
    await zms.eventuallyPrints('user.owner', '-d club show-policy readers', showsPolicy('read', 'list'))
    await zms.prints('user.owner', '-d club show-role readers', 'role: - name: readers members: - name: user.bob')
  })
})
