import { createPublicKey, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { newKey } from './attacked-servers.ts'

/** Who signs tokens of jobs in a foreign cloud, and for whom. */
export const ISSUER = 'https://jobs.example'
export const AUDIENCE = 'https://zts.example'
/** What it signs them with. */
export const jobKey = newKey()
/** A job, as its token tells of it. */
export const JOB = {
  sub: 'repo:me/app:ref:refs/heads/main',
  repository: 'me/app',
  run_id: '77',
  event_name: 'push',
} as const
/** All claims of the token that the job would get now. */
export const jobClaims = () => {
  const iat = Math.floor(Date.now() / 1000)
  return { iss: ISSUER, aud: AUDIENCE, iat, exp: iat + 300, ...JOB }
}

/** A token of a job. */
export function signedJob(claims: object, key: KeyObject, header: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part({ alg: 'ES256', kid: 'job', typ: 'JWT', ...header })}.${part(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

/** Where the key is that tokens of jobs are signed with. */
export interface KeySets extends Disposable {
  readonly url: string
}

/** Starts it on a free port. */
export async function startKeySets(): Promise<KeySets> {
  const keys = [{ ...createPublicKey(jobKey).export({ format: 'jwk' }), kid: 'job', alg: 'ES256', use: 'sig' }]
  const server = createServer((_, response) => response.end(JSON.stringify({ keys })))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/keys`, [Symbol.dispose]: () => void server.close() }
}
