import { test } from 'node:test'
import { replay } from './replay.ts'

for (const store of ['file', 'mysql'] as const) {
  test(`ZMS on the ${store} store answers and decides as recorded`, (context) =>
    replay(context, ['zms', 'decisions'], store))
}
