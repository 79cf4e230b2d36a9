import { readFile } from 'node:fs/promises'
import https from 'node:https'
import type { ClientFiles } from './load-tool.ts'

/** Who asks, and with what. */
export interface SingleRequest {
  readonly client: ClientFiles
  /** File that verifies the server. */
  readonly ca: string
  /** Fields of a form, which is posted. */
  readonly form?: string
  /** JSON, which is posted. */
  readonly json?: string
  /** In place of POST. */
  readonly method?: 'POST' | 'PUT'
}

/** The body of an answer, on a connection of its own. Rejects when there is no answer. */
export async function requestText(
  url: string,
  { client, ca, form, json, method = 'POST' }: SingleRequest,
): Promise<string> {
  const [cert, key, trusted] = await Promise.all([client.certificate, client.key, ca].map((file) => readFile(file)))
  const options: https.RequestOptions = { cert, key, ca: trusted, agent: false }
  const body = form ?? json
  if (body !== undefined) {
    const type = form === undefined ? 'application/json' : 'application/x-www-form-urlencoded'
    options.method = method
    options.headers = { 'content-type': type, 'content-length': Buffer.byteLength(body) }
  }
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const request = https.request(url, options, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    response.on('end', () => resolve(text)).on('error', reject)
  })
  request.on('error', reject).end(body)
  return promise
}
