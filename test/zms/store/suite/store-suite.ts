import { describe } from 'node:test'
import { domainTests } from './domains.ts'
import { dutyTests } from './duties.ts'
import type { OpenStore } from './fixture.ts'
import { globalTests } from './globals.ts'
import { historyTests } from './history.ts'
import { limitTests } from './limits.ts'
import { memberTests } from './members.ts'
import { noticeTests } from './notices.ts'
import { policyTests } from './policies.ts'
import { domainQueryTests } from './query-domains.ts'
import { memberQueryTests } from './query-members.ts'
import { serviceQueryTests } from './query-services.ts'
import { restartTests } from './restart.ts'
import { searchTests } from './search.ts'
import { serviceTests } from './services.ts'
import { transactionTests } from './transactions.ts'
import { valueTests } from './values.ts'

const PARTS: readonly (readonly [string, (open: OpenStore) => void])[] = [
  ['domains', domainTests],
  ['roles and groups', memberTests],
  ['policies', policyTests],
  ['services, entities, templates and quotas', serviceTests],
  ['principals and dependencies', globalTests],
  ['history of members', historyTests],
  ['values', valueTests],
  ['limits', limitTests],
  ['transactions', transactionTests],
  ['queries of domains', domainQueryTests],
  ['queries of members', memberQueryTests],
  ['queries of services', serviceQueryTests],
  ['search', searchTests],
  ['duties', dutyTests],
  ['notices', noticeTests],
  ['opening again', restartTests],
]

/** What every store must do. `open` is called once for each part and gives a store without any data. */
export function storeSuite(name: string, open: OpenStore): void {
  describe(name, () => {
    for (const [part, tests] of PARTS) describe(part, () => tests(open))
  })
}
