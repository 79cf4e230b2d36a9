import { test } from 'node:test'
import { apiDocumentationEndpoints } from '#core/http/api-documentation.ts'
import { zmsEndpoints } from '#zms/api/index.ts'
import { accessList } from '../../support/access-list.ts'
import { assertGolden } from '../../support/golden.ts'

test('who may call which operation is as in the checked-in list', () => {
  assertGolden('zms-access.txt', accessList({ ...zmsEndpoints, ...apiDocumentationEndpoints }))
})
