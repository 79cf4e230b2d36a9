import { readAthenzConf } from '#core/config/athenz-conf.ts'
import { messageOf } from '#core/error/message-of.ts'
import { invalidRequest } from './client-error.ts'

/** `athenz.conf` of a machine where Athenz is installed as usual. */
export const DEFAULT_ATHENZ_CONF = '/home/athenz/conf/athenz/athenz.conf'

/** Where the URL of a server is found. */
export interface ServerUrlSource {
  readonly url?: string
  readonly athenzConf?: string
}

/**
 * The address of an API: the given URL, or that in athenz.conf, which is read when it is first needed, with the path of
 * the API after it unless it is there already. What it gives throws AthenzClientError `invalid-request` when there is none.
 */
export function serverUrl(apiRoot: string, { url, athenzConf }: ServerUrlSource): () => Promise<URL> {
  // A URL that is none is a mistake in the program, which it should meet at its start.
  const given = url === undefined ? undefined : apiUrl(url, apiRoot)
  let read: Promise<URL> | undefined
  return async () => {
    if (given !== undefined) return given
    read ??= fromAthenzConf(athenzConf ?? DEFAULT_ATHENZ_CONF, apiRoot)
    // A file that is not there yet is looked for again with the next call.
    return read.catch((error: unknown) => {
      read = undefined
      throw error
    })
  }
}

/** The URL of an API: `apiRoot`, such as `/zts/v1`, is put after the path unless the path ends with it. */
export function apiUrl(text: string, apiRoot: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') throw invalidRequest(`${text} is no URL of a server`)
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = path.endsWith(apiRoot) ? path : path + apiRoot
  url.search = ''
  url.hash = ''
  return url
}

async function fromAthenzConf(file: string, apiRoot: string): Promise<URL> {
  const member = apiRoot.startsWith('/zms') ? 'zmsUrl' : 'ztsUrl'
  const conf = await readAthenzConf(file, { keys: 'optional' }).catch((cause: unknown) => {
    throw invalidRequest(`no URL is given, and athenz.conf cannot be used: ${messageOf(cause)}`, cause)
  })
  const url = conf[member]
  if (url === undefined) throw invalidRequest(`no URL is given, and ${file} has no ${member}`)
  return apiUrl(url, apiRoot)
}
