import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { describe, test } from 'node:test'
import { listenProblem } from '#core/http/listen-problem.ts'

/** What listening there ends with. */
async function failure(port: number, host: string): Promise<unknown> {
  const server = createServer().listen({ port, host })
  const [error] = await once(server, 'error')
  return error
}

describe('a port that cannot be opened', () => {
  test('is told to be taken', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as AddressInfo
    const problem = listenProblem(await failure(port, '127.0.0.1'))
    holder.close()
    assert.equal(problem, `port ${port} is taken (stop the process that uses it, or set another port)`)
  })

  test('is told to be on an address of another machine', async () => {
    const problem = listenProblem(await failure(4443, '203.0.113.1'))
    assert.equal(problem, 'port 4443: 203.0.113.1 is no address of this machine (set another one)')
  })

  test('is told to need a right', () => {
    const error = Object.assign(new Error('listen EACCES'), { code: 'EACCES', port: 80, address: '::' })
    const advice = 'this process may not listen there (set one from 1024 on, or allow CAP_NET_BIND_SERVICE)'
    assert.equal(listenProblem(error), `port 80: ${advice}`)
  })

  test('is not what other errors are about', () => {
    assert.equal(listenProblem(Object.assign(new Error('open'), { code: 'EACCES', path: '/x' })), undefined)
    assert.equal(listenProblem('text'), undefined)
  })
})
