import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/**
 * What a proxy does with bytes from the client: pass them on, break the connection before, or after they took effect, or
 * send something else in place of the answer.
 */
export type Verdict = 'pass' | 'cut-before' | 'cut-after' | { readonly answer: Buffer }

/** A proxy that breaks connections at chosen moments. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** Where new connections lead, on this machine. */
  targetPort: number
  /** Asked about every piece of data that a client sends, with the number of its connection; the data wait for its answer. */
  judge: (data: Buffer, connection: number) => Verdict | Promise<Verdict>
  /** Told of every piece of data that goes back on a connection; the data wait for its answer. */
  delay: (connection: number) => void | Promise<void>
}

/** Starts a proxy on a free port of this machine in front of another port. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((client) => {
    const connection = connections++
    const target = connect(proxy.targetPort, '127.0.0.1')
    for (const socket of [client, target]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
    const forward = async (data: Buffer) => {
      const verdict = await proxy.judge(data, connection)
      if (verdict === 'cut-before') {
        target.destroy()
        client.destroy()
        return
      }
      if (verdict === 'cut-after') {
        // The answer shows that the data took effect; nobody gets to see it.
        target.removeAllListeners('data')
        target.once('data', () => {
          client.destroy()
          target.destroy()
        })
      }
      if (typeof verdict === 'object') {
        const listeners = target.listeners('data') as ((data: Buffer) => void)[]
        target.removeAllListeners('data')
        target.once('data', () => {
          for (const listener of listeners) target.on('data', listener)
          client.write(verdict.answer)
        })
      }
      target.write(data)
    }
    let last = Promise.resolve()
    client.on('data', (data) => {
      last = last.then(() => forward(data))
    })
    let lastBack = Promise.resolve()
    target.on('data', (data) => {
      lastBack = lastBack.then(() => proxy.delay(connection)).then(() => void client.write(data))
    })
    client.on('close', () => target.destroy())
    target.on('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  const proxy: TcpProxy = {
    port: address.port,
    targetPort,
    judge: () => 'pass',
    delay: () => {},
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
  return proxy
}
