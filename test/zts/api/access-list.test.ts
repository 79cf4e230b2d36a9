import { test } from 'node:test'
import { apiDocumentationEndpoints } from '#core/http/api-documentation.ts'
import { ztsEndpoints } from '#zts/api/index.ts'
import { accessList } from '../../support/access-list.ts'
import { assertGolden } from '../../support/golden.ts'

test('who may call which operation is as in the checked-in list', () => {
  assertGolden('zts-access.txt', accessList({ ...ztsEndpoints, ...apiDocumentationEndpoints }))
})
