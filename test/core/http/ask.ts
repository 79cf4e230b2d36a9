import type { InjectOptions } from 'fastify'
import { type FakeOptions, fakeServer, INVALID_OBJECT } from './support.ts'

/** What came back; `body` is parsed. */
export interface Seen {
  readonly status: number
  readonly body: unknown
  readonly headers: Readonly<Record<string, unknown>>
}

/** Headers that say who asks: with all rights, and with none. */
export const admin = { 'x-user': 'user.admin' }
export const eve = { 'x-user': 'user.eve' }

/** Sends one request to a server of the fakes, as an administrator unless the headers say otherwise. */
export async function ask(
  method: string,
  url: string,
  request: Partial<InjectOptions> = {},
  options: FakeOptions = {},
): Promise<Seen> {
  const server = fakeServer(options)
  const answer = await server.app.inject({
    method: method as 'GET',
    url: `/api/v1${url}`,
    ...request,
    headers: { ...admin, ...request.headers },
  })
  await server.close()
  const { statusCode: status, headers, payload } = answer
  return { status, headers, body: payload === '' ? undefined : JSON.parse(payload) }
}

/** Puts a thing. */
export const put = (payload: string, headers: Record<string, string> = {}, url = '/domain/sports/thing/t1') =>
  ask('PUT', url, { payload, headers: { 'content-type': 'application/json', ...headers } })

/** Body of an error. */
export const failure = (code: number, message: string) => ({ code, message })
export const INVALID = failure(400, INVALID_OBJECT)
export const FORBIDDEN = failure(403, 'Forbidden')
