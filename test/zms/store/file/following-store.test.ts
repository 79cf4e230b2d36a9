import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Calls } from '#core/workers/calls.ts'
import type { MessagePort } from '#core/workers/message-port.ts'
import { emptyDomain } from '#zms/store/empty-domain.ts'
import { domainPieces } from '#zms/store/file/domain-form.ts'
import type { EmbeddedStore } from '#zms/store/file/embedded-store.ts'
import { openFileStore } from '#zms/store/file/file-store.ts'
import { openFollowingStore } from '#zms/store/file/following-store.ts'
import { type GrantedTransaction, StoreFeed } from '#zms/store/file/store-feed.ts'
import type { Domain } from '#zms/store/model.ts'
import type { Store } from '#zms/store/store.ts'
import { linkedPorts } from '../../../core/workers/support.ts'
import { plainSettings } from '../suite/samples.ts'
import { storeSuite } from '../suite/store-suite.ts'

/** A store, and others that follow it over channels on which messages take their time. */
async function openAll(folder: string, followers: number, slow: boolean) {
  let sequence = 0
  const mark = { set: (value: number) => void (sequence = value), get: () => sequence }
  const owner = await openFileStore({ folder })
  const feed = new StoreFeed(owner, mark)
  const links: { store: Store; cut: () => void }[] = []
  const follow = async (number: number) => {
    const { left, right, cut } = linkedPorts()
    feed.attach(new Calls(slow ? slowed(left) : left))
    const store = await openFollowingStore({ calls: new Calls(slow ? slowed(right) : right), mark, folder, number })
    links.push({ store, cut })
    return store
  }
  const close = async () => {
    for (const { store, cut } of links.splice(0)) {
      await store.close()
      cut()
    }
    await owner.close()
  }
  const stores: Store[] = []
  for (let number = 1; number <= followers; number++) stores.push(await follow(number))
  return { owner, stores, links, follow, close }
}

/** What is sent arrives later, in order. */
function slowed(port: MessagePort): MessagePort {
  let last: Promise<unknown> = Promise.resolve()
  const send = (message: object) => {
    const turns = Math.floor(Math.random() * 4)
    const before = last
    last = (async () => {
      await before
      for (let count = 0; count < turns; count++) await turn()
      port.send(message)
    })()
  }
  return { ...port, send }
}

storeSuite('a store that follows one in another process', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'athenz-following-store-'))
  let all = await openAll(folder, 1, false)
  const [store] = all.stores as [Store]
  return {
    store,
    async reopen() {
      await all.close()
      all = await openAll(folder, 1, false)
      return all.stores[0] as Store
    },
    async dispose() {
      await all.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
})

const putRole = (store: Pick<Store, 'transact'>, domain: string, role: string) =>
  store.transact([domain], (transaction) => {
    transaction.apply({ kind: 'putRole', domain, value: { name: role, modified: 0, created: 0 } })
  })

const createDomain = (store: Pick<Store, 'transact'>, name: string) =>
  store.transact([name], (transaction) => {
    transaction.apply({ kind: 'createDomain', domain: name, value: emptyDomain(plainSettings(name)) })
  })

const textOf = (domain: Domain | undefined) => domain && [...domainPieces(domain)].join('')

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'athenz-following-store-'))
  try {
    await run(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

describe('stores that follow one', () => {
  test('never show less than anybody was told, however slow their channels are', () =>
    withFolder(async (folder) => {
      const { owner, stores, close } = await openAll(folder, 3, true)
      await createDomain(owner, 'sports')
      const all: readonly Store[] = [owner, ...stores]
      const told = new Set<string>()
      const client = async (number: number) => {
        for (let round = 0; round < 30; round++) {
          const role = `role${number}x${round}`
          const before = [...told]
          await putRole(all[(number + round) % all.length] as Store, 'sports', role)
          told.add(role)
          for (const store of all) {
            const domain = await store.domain('sports')
            for (const known of [role, ...before]) assert.ok(domain?.roles.has(known), known)
            // Whoever is shown something tells it, too.
            for (const shown of domain?.roles.keys() ?? []) told.add(shown)
          }
        }
      }
      await Promise.all([client(0), client(1), client(2), client(3)])
      assert.equal(owner.domain('sports')?.roles.size, 4 * 30)
      await close()
    }))

  test('are copied while domains are changed, created and deleted', () =>
    withFolder(async (folder) => {
      const { owner, follow, close } = await openAll(folder, 0, true)
      for (let index = 0; index < 120; index++) await createDomain(owner, `domain${index}`)
      const done = new AbortController()
      const change = async (store: EmbeddedStore) => {
        for (let round = 0; !done.signal.aborted; round++) {
          const index = round % 120
          await putRole(store, `domain${index}`, `role${round}`)
          if (round % 3 === 0) await createDomain(store, `new${round}`)
          if (round % 7 !== 0) continue
          const gone = `domain${(round * 5) % 120}`
          await store.transact([gone], (transaction) => {
            transaction.apply({ kind: 'deleteDomain', domain: gone })
          })
          await createDomain(store, gone)
        }
      }
      const changes = change(owner)
      const copies = await Promise.all([follow(1), follow(2)])
      done.abort()
      await changes
      const names = await owner.domainNames()
      for (const copy of copies) {
        assert.deepEqual(await copy.domainNames(), names)
        for (const name of names) assert.equal(textOf(await copy.domain(name)), textOf(owner.domain(name)), name)
      }
      await close()
    }))

  test('give up what they had begun when their process ends, and nobody waits for it', () =>
    withFolder(async (folder) => {
      const { owner, stores, links, close } = await openAll(folder, 1, false)
      await createDomain(owner, 'sports')
      const begun = Promise.withResolvers<void>()
      const never = (stores[0] as Store).transact(['sports'], async (transaction) => {
        transaction.apply({ kind: 'putRole', domain: 'sports', value: { name: 'lost', modified: 0, created: 0 } })
        begun.resolve()
        await new Promise(() => {})
      })
      never.catch(() => {})
      await begun.promise
      links[0]?.cut()
      await putRole(owner, 'sports', 'next')
      const { roles } = owner.domain('sports') ?? { roles: new Map() }
      assert.deepEqual([...roles.keys()], ['next'])
      await close()
    }))

  test('leave the domains to others when what they have decided cannot be read', () =>
    withFolder(async (folder) => {
      const owner = await openFileStore({ folder })
      const { left, right } = linkedPorts()
      new StoreFeed(owner, { set() {} }).attach(new Calls(left))
      const calls = new Calls(right)
      await createDomain(owner, 'sports')
      const { id } = await calls.call<GrantedTransaction>('store.begin', ['sports'])
      await assert.rejects(calls.call('store.finish', id, '[{'), { message: /JSON/ })
      await putRole(owner, 'sports', 'next')
      assert.ok(owner.domain('sports')?.roles.has('next'))
      await owner.close()
    }))

  test('keep the next server from the folder as long as they live', () =>
    withFolder(async (folder) => {
      const { owner, stores } = await openAll(folder, 1, false)
      await createDomain(owner, 'sports')
      await owner.close()
      let isOpen = false
      const next = openFileStore({ folder }).then((store) => {
        isOpen = true
        return store
      })
      for (let count = 0; count < 20; count++) await turn()
      assert.equal(isOpen, false)
      await stores[0]?.close()
      const store = await next
      assert.ok(store.domain('sports'))
      await store.close()
    }))
})
