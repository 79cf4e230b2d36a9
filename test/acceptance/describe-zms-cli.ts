import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { athenzTools } from '../support/athenz-tools.ts'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { type MariaDb, startMariaDb } from '../support/mariadb.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { ZmsCli } from '../support/zms-cli.ts'

/** Administrator of a ZMS that `athenz dev` runs. */
export const ADMIN = 'user.admin'
/** Administrator of the domain `club`, which every walk begins with. */
export const OWNER = 'user.owner'

const SETTINGS = {
  'athenz.ts.further_templates_fname': join(PROJECT_FOLDER, 'conf/zms_server/further_templates.json'),
  'athenz.zms.domain_contact_types': 'security-contact,product-owner',
}

/** Declares tests that walk with zms-cli through a ZMS on each store; its own is given when a test asks for it. */
export async function describeZmsCli(title: string, walk: (zms: () => ZmsCli) => void): Promise<void> {
  const tools = await athenzTools(['zms-cli'])
  for (const store of ['file', 'mysql'] as const) {
    describe(`zms-cli and the ${store} store: ${title}`, { skip: 'skipped' in tools && tools.skipped }, () => {
      const [dir, people] = [temporaryFolder(), temporaryFolder()]
      let [database, servers, zms]: [MariaDb?, DevServers?, ZmsCli?] = []

      before(async () => {
        database = store === 'mysql' ? await startMariaDb() : undefined
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
