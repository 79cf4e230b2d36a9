import { describe, test } from 'node:test'
import { replay } from './replay.ts'

// Scenarios wait for members and tokens to expire, so that several take hardly more time than one.
describe('ZTS answers as recorded', { concurrency: 2 }, () => {
  for (const store of ['file', 'mysql'] as const) {
    for (const part of ['zts', 'zts/extended']) {
      test(`${part} with domains and records on the ${store} store`, (context) => replay(context, [part], store))
    }
  }
})
