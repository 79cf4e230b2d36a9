import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFileStore } from '#zms/store/file/file-store.ts'
import type { OpenStore } from '../suite/fixture.ts'
import { storeSuite } from '../suite/store-suite.ts'

/** Opens file stores that write documents when the journal has so many bytes. */
const openWith =
  (checkpointBytes: number): OpenStore =>
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'athenz-file-store-'))
    const open = () => openFileStore({ folder, checkpointBytes })
    let store = await open()
    return {
      store,
      async reopen() {
        await store.close()
        store = await open()
        return store
      },
      async dispose() {
        await store.close()
        await rm(folder, { recursive: true, force: true })
      },
    }
  }

storeSuite('a file store', openWith(16 * 1024 * 1024))
storeSuite('a file store that writes its documents all the time', openWith(1))
