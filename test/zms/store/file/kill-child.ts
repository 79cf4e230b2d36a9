import { openSync, writeSync } from 'node:fs'
import { openFileStore } from '#zms/store/file/file-store.ts'
import { DOMAINS, numberOf, transactionOf, WRITERS } from './kill-writers.ts'

/**
 * Program of the kill test: writes to the store in a folder until it is killed. Each writer notes in a file after each of
 * its transactions which one was acknowledged: `{writer} {number}`. (A pipe would hold such lines back when it is full.)
 */
const [folder, acknowledged] = process.argv.slice(2)
if (folder === undefined || acknowledged === undefined) throw new Error('name the folder of the store and a file')
const notes = openSync(acknowledged, 'a')

const store = await openFileStore({ folder, checkpointBytes: 40_000 })
process.stdout.write('ready\n')
const domains = store.domains(DOMAINS)
await Promise.all(
  Array.from({ length: WRITERS }, async (_, writer) => {
    for (let number = numberOf(domains, writer) + 1; ; number++) {
      const { names, decide } = transactionOf(writer, number)
      await store.transact(names, decide)
      writeSync(notes, `${writer} ${number}\n`)
    }
  }),
)
