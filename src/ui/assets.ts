import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/** A file that pages refer to. */
export interface Asset {
  readonly type: string
  readonly body: Buffer
  readonly gzipped: Buffer
}

const compress = promisify(gzip)

/** Name on the page, where it is, and its type. */
const FILES: readonly (readonly [name: string, file: string, type: string])[] = [
  ['style.css', join(import.meta.dirname, 'style.css'), 'text/css; charset=utf-8'],
  ['certificate-sign-in.js', join(import.meta.dirname, 'certificate-sign-in.js'), 'text/javascript; charset=utf-8'],
  ['icon.svg', join(import.meta.dirname, 'icon.svg'), 'image/svg+xml'],
  ['htmx.js', fileURLToPath(import.meta.resolve('htmx.org/dist/htmx.min.js')), 'text/javascript; charset=utf-8'],
]

/** The files that pages refer to, in memory. Their paths have a part that changes with their contents, so they are kept for ever. */
export class Assets {
  readonly #assets: ReadonlyMap<string, Asset>
  readonly #urls: ReadonlyMap<string, string>

  private constructor(assets: ReadonlyMap<string, Asset>, urls: ReadonlyMap<string, string>) {
    this.#assets = assets
    this.#urls = urls
  }

  /** Reads the files. */
  static async read(): Promise<Assets> {
    const assets = new Map<string, Asset>()
    const urls = new Map<string, string>()
    for (const [name, file, type] of FILES) {
      const body = await readFile(file)
      const url = `/assets/${createHash('sha256').update(body).digest('hex').slice(0, 12)}/${name}`
      urls.set(name, url)
      assets.set(url, { type, body, gzipped: await compress(body) })
    }
    return new Assets(assets, urls)
  }

  /** Path of a file. Throws Error for one that is not there. */
  url(name: string): string {
    const url = this.#urls.get(name)
    if (url === undefined) throw new Error(`there is no asset ${name}`)
    return url
  }

  /** The file at a path. */
  at(url: string): Asset | undefined {
    return this.#assets.get(url)
  }
}
