import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { acceptsGzip } from './content-coding.ts'
import type { Reply, RequestContext } from './endpoint.ts'

/** What is answered, plain and compressed, with the entity tag of each. */
interface Content {
  readonly plain: Variant
  readonly compressed: Variant | undefined
}

interface Variant {
  readonly body: Buffer
  readonly etag: string
}

/** What a {@link StaticContent} is made of. */
export interface StaticContentOptions {
  /** Gives the bytes; asked when they are wanted for the first time, and again if it rejected. */
  readonly read: () => Promise<Buffer>
  /** Media type with its parameters. */
  readonly type: string
  /** Further headers by lower-case name. */
  readonly headers?: Readonly<Record<string, string>>
}

const compress = promisify(gzip)
/** Below this size compression saves nothing. */
const MIN_COMPRESSED_BYTES = 1024

/**
 * Bytes that are the same as long as the server runs. They are read and compressed for the first who asks, and kept. Clients
 * keep them too but ask each time whether they are still the same, so that a newer server is noticed.
 */
export class StaticContent {
  readonly #options: StaticContentOptions
  #content: Promise<Content> | undefined

  constructor(options: StaticContentOptions) {
    this.#options = options
  }

  /** The answer: 200, or 304 when the client has it already. Rejects with what the reading rejects with. */
  async reply(context: Pick<RequestContext, 'header'>): Promise<Reply> {
    const { type, headers } = this.#options
    const { plain, compressed } = await this.#opened()
    const isCompressed = compressed !== undefined && acceptsGzip(context.header('accept-encoding'))
    const { body, etag } = isCompressed ? compressed : plain
    const common = {
      ...headers,
      etag,
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      ...(compressed && { vary: 'accept-encoding' }),
    }
    if (hasTag(context.header('if-none-match'), etag)) return { status: 304, headers: common }
    const coding = isCompressed && { 'content-encoding': 'gzip' }
    return { status: 200, body, headers: { ...common, 'content-type': type, ...coding } }
  }

  #opened(): Promise<Content> {
    const opening = (this.#content ??= this.#open())
    opening.catch(() => {
      if (this.#content === opening) this.#content = undefined
    })
    return opening
  }

  async #open(): Promise<Content> {
    const body = await this.#options.read()
    const digest = createHash('sha256').update(body).digest('base64url').slice(0, 27)
    const smaller = body.length < MIN_COMPRESSED_BYTES ? undefined : await compress(body, { level: 9 })
    return {
      plain: { body, etag: `"${digest}"` },
      compressed: smaller && smaller.length < body.length ? { body: smaller, etag: `"${digest}-gzip"` } : undefined,
    }
  }
}

/** Whether a list of entity tags has this one, compared weakly (RFC 9110, 13.1.2). */
function hasTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((item) => {
    const tag = item.trim()
    return tag === '*' || tag === etag || tag === `W/${etag}`
  })
}
