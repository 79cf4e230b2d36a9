import assert from 'node:assert/strict'
import { readdir, readlink } from 'node:fs/promises'
import type { RunningFaultServer } from './fault-servers.ts'

/** How long a client waits for an answer that costs nothing. */
export async function answerMillis(server: RunningFaultServer): Promise<number> {
  const start = performance.now()
  assert.equal((await server.ask('GET', '/status')).status, 200)
  return performance.now() - start
}

/** Sockets that a process has open. */
export async function socketsOf(pid: number): Promise<number> {
  const folder = `/proc/${pid}/fd`
  const links = await Promise.all((await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => '')))
  return links.filter((link) => link.startsWith('socket:')).length
}
