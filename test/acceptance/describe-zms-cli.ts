import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { athenzTools } from '../support/athenz-tools.ts'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { type MariaDb, startMariaDb } from '../support/mariadb.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { OURS, ZmsCli } from '../support/zms-cli.ts'

/** Administrator of a ZMS that `athenz dev` runs. */
export const ADMIN = 'user.admin'
/** Administrator of the domain `club`, which every walk begins with. */
export const OWNER = 'user.owner'

const SETTINGS = {
  'athenz.ts.further_templates_fname': join(PROJECT_FOLDER, 'conf/zms_server/further_templates.json'),
  'athenz.zms.domain_contact_types': 'security-contact,product-owner',
}

const [FILE, MYSQL] = ['file', 'mysql'] as const

/**
 * Declares tests that walk with zms-cli through a ZMS, with Athenz' own and with ours, on each store. Each has a ZMS of its
 * own, which is given when a test asks for it.
 */
export async function describeZmsCli(title: string, walk: (zms: () => ZmsCli) => void): Promise<void> {
  const original = await athenzTools(['zms-cli'])
  const ours = { folder: OURS }
  const walks = [
    { whose: 'zms-cli', tools: original, store: FILE },
    { whose: 'zms-cli', tools: original, store: MYSQL },
    { whose: 'our zms-cli', tools: ours, store: FILE },
    { whose: 'our zms-cli', tools: ours, store: MYSQL },
  ]
  for (const { whose, tools, store } of walks) {
    describe(`${whose} and the ${store} store: ${title}`, { skip: 'skipped' in tools && tools.skipped }, () => {
      const [dir, people] = [temporaryFolder(), temporaryFolder()]
      let [database, servers, zms]: [MariaDb?, DevServers?, ZmsCli?] = []

      before(async () => {
        database = store === MYSQL ? await startMariaDb() : undefined
        await database?.query('CREATE DATABASE zms_cli')
        const mysqlUrl = database?.url('zms_cli')
        servers = await startDevServers({ dir, zts: false, settings: SETTINGS, ...(mysqlUrl && { mysqlUrl }) })
        zms = new ZmsCli('folder' in tools ? tools.folder : '', servers.summary, people)
        await zms.prints(ADMIN, 'add-domain club 1 user.owner', '[domain created: club]')
      })
      after(async () => {
        await servers?.[Symbol.asyncDispose]()
        await database?.stop()
      })

      walk(() => {
        if (zms === undefined) throw new Error('ZMS does not run yet')
        return zms
      })
    })
  }
}
