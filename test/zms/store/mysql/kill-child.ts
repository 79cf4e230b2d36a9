import { openSync, writeSync } from 'node:fs'
import { openStore } from '../../../support/mysql-store.ts'
import { DOMAINS, numberOf, transactionOf } from '../file/kill-writers.ts'

/**
 * Program of the kill test: writes to a database until it is killed, as some of the writers. Each notes in a file after
 * each of its transactions which one was acknowledged: `{writer} {number}`.
 */
const [port, database, acknowledged, ...writers] = process.argv.slice(2)
if (database === undefined || acknowledged === undefined) throw new Error('name port, database, file and writers')
const notes = openSync(acknowledged, 'a')

const store = openStore({ host: '127.0.0.1', port: Number(port) }, database)
const domains = await store.domains(DOMAINS)
process.stdout.write('ready\n')
await Promise.all(
  writers.map(Number).map(async (writer) => {
    for (let number = numberOf(domains, writer) + 1; ; number++) {
      const { names, decide } = transactionOf(writer, number)
      await store.transact(names, decide)
      writeSync(notes, `${writer} ${number}\n`)
    }
  }),
)
