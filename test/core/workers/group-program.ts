// A group of workers that do what the first argument says; prints what the primary process sees, a line of JSON each.
import cluster from 'node:cluster'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { silentLogger } from '#core/log/logger.ts'
import type { Calls } from '#core/workers/calls.ts'
import { portOf } from '#core/workers/message-port.ts'
import { SharedCounter } from '#core/workers/shared-counter.ts'
import { WorkerFailure, WorkerGroup } from '#core/workers/worker-group.ts'
import { WorkerSeat } from '#core/workers/worker-seat.ts'

const [what = '', workers = '2'] = process.argv.slice(2)
const print = (value: unknown) => console.log(JSON.stringify(value))

async function primary(): Promise<void> {
  const counter = SharedCounter.create()
  counter.set(42)
  const attached = new Map<number, Calls>()
  try {
    const group = await WorkerGroup.start({
      workers: Number(workers),
      counter,
      attach: (calls, number) => {
        attached.set(number, calls)
        calls.serve('test', { saw: (value: unknown) => print({ worker: number, saw: value }) })
        if (what === 'serve') calls.onClose(() => print({ closed: number }))
      },
      stopTimeoutMillis: what === 'hang' ? 500 : 600_000,
      log: silentLogger(),
    })
    print({ addresses: await group.addresses, states: [...group.states] })
    if (what === 'serve') print({ pids: Object.values(cluster.workers ?? {}).map((each) => each?.process.pid) })
    attached.get(Number(workers))?.notify('all listen')
    process.on('SIGTERM', () => {
      void group.stop().then(() => {
        print({ states: [...group.states] })
        process.exit(0)
      })
    })
    const failure = await group.gaveUp
    print({ gaveUp: failure.message, restarts: group.restarts })
    await group.stop()
  } catch (error) {
    if (!(error instanceof WorkerFailure)) throw error
    print({ failed: error.message, reasons: error.reasons })
  }
  process.exit(1)
}

async function worker(): Promise<void> {
  // Busy with something else when it is told to stop, and with nothing that listens to its channel.
  if (what === 'late' && cluster.worker?.id === 1) await once(cluster.worker, 'message')
  const seat = await WorkerSeat.take(portOf(process))
  const { number, count, leads, counter } = seat
  if (seat.stopping.aborted) process.exit(0)
  if ((what === 'wait' || what === 'late') && number === 1) {
    // Its start takes for ever, but not its end.
    seat.stopping.addEventListener('abort', () => process.exit(0))
    return
  }
  if (what === 'fail' || what === 'wait' || what === 'late') {
    await seat.failed(['the first reason', 'the second'])
    process.exit(1)
  }
  seat.stopping.addEventListener('abort', () => {
    if (what !== 'hang') process.exit(0)
  })
  seat.primary.on('all listen', () => seat.publish('news', 7))
  seat.subscribe('news', (value: number) => void seat.primary.call('test.saw', { news: value }))
  await seat.primary.call('test.saw', { number, count, leads, counter: counter.get() })
  if (what === 'serve') {
    const server = createServer((socket) => socket.end(`worker ${number}`)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    seat.listens([server.address() as AddressInfo])
    return
  }
  seat.listens([{ address: '127.0.0.1', family: 'IPv4', port: 4443 }])
  if (what === 'loop') process.exit(3)
}

await (cluster.isPrimary ? primary() : worker())
