// The limit for several processes: that of bare.mjs in as many as the last argument says, which share its port.
import cluster from 'node:cluster'

const count = Number(process.argv.at(-1))

if (cluster.isPrimary) {
  let listening = 0
  cluster.on('listening', (_worker, { port }) => {
    listening++
    if (listening === count) console.log(port)
  })
  cluster.setupPrimary({ args: process.argv.slice(2, -1), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  for (let number = 0; number < count; number++) cluster.fork()
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGKILL')
    process.exit(0)
  })
} else {
  await import('./bare.mjs')
}
