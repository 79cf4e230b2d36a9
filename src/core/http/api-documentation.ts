import { readFile } from 'node:fs/promises'
import { notFound } from '../error/service-error.ts'
import { anonymous, type Endpoint, endpoint, type Handlers } from './endpoint.ts'
import { statusText } from './errors.ts'
import { ANY_TYPE } from './media-type.ts'
import { openApiDocument } from './openapi.ts'
import { readProgram } from './program-info.ts'
import { type Registration, registerEndpoints } from './register.ts'
import type { HttpServer } from './server.ts'
import { StaticContent } from './static-content.ts'
import { text } from './wire.ts'

const group = 'Documentation'
const access = anonymous('the declarations of the API, which are published, and nothing of the data')
const Bytes = text()

/** Pages for people about the API of a server. They are no part of that API. */
export const apiDocumentationEndpoints = {
  getApiPage: endpoint({
    operation: 'getApiPage',
    method: 'GET',
    path: '/docs',
    group,
    summary: 'The API as a page.',
    produces: 'text/html',
    access,
    responses: { 200: Bytes },
    errors: [406],
  }),
  getApiFile: endpoint({
    operation: 'getApiFile',
    method: 'GET',
    path: '/docs/{file}',
    group,
    summary: 'What the page is made of; `openapi.json` is the OpenAPI document.',
    produces: ANY_TYPE,
    params: { file: text() },
    access,
    responses: { 200: Bytes },
    errors: [404],
  }),
} as const

/** The API that is shown. */
export interface DocumentedApi {
  /** What the server is called, e.g. `ZMS`. */
  readonly server: string
  /** Root of all its paths, e.g. `/zms/v1`. */
  readonly basePath: string
  readonly endpoints: Readonly<Record<string, Endpoint>>
}

/**
 * What the pages answer: the OpenAPI document, and swagger-ui from its package. Nothing is made or read before somebody asks
 * for it. Files are found by name in a fixed list: no name of a request becomes a path.
 */
export function apiDocumentationHandlers(api: DocumentedApi): Handlers<typeof apiDocumentationEndpoints> {
  const page = generated('text/html; charset=utf-8', async () => pageOf(api.server), PAGE_HEADERS)
  const files = new Map([
    ['openapi.json', generated('application/json', () => documentOf(api))],
    ['start.js', generated(SCRIPT_TYPE, async () => START_SCRIPT)],
    ...PACKAGE_FILES.map(([name, type]) => [name, packaged(name, type)] as const),
  ])
  return {
    getApiPage: (_request, context) => page.reply(context),
    getApiFile: ({ params }, context) => {
      const file = files.get(params.file)
      if (!file) throw notFound(statusText(404))
      return file.reply(context)
    },
  }
}

/** Makes the pages of an API reachable at `/docs`. */
export function registerApiDocumentation(
  server: HttpServer,
  api: DocumentedApi,
  shared: Omit<Registration<typeof apiDocumentationEndpoints>, 'basePath' | 'endpoints' | 'handlers'>,
): void {
  const endpoints = apiDocumentationEndpoints
  registerEndpoints(server, { ...shared, basePath: '', endpoints, handlers: apiDocumentationHandlers(api) })
}

const SCRIPT_TYPE = 'text/javascript; charset=utf-8'

/** What is served of the package, and as what. */
const PACKAGE_FILES = [
  ['swagger-ui-bundle.js', SCRIPT_TYPE],
  ['swagger-ui-bundle.js.LICENSE.txt', 'text/plain; charset=utf-8'],
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['favicon-32x32.png', 'image/png'],
] as const

/** No other site may use what is served here. */
const HEADERS = { 'cross-origin-resource-policy': 'same-origin', 'referrer-policy': 'no-referrer' }

/**
 * The page runs no script and shows no style but those served beside it, asks nobody but this server, and is in no frame:
 * whoever looks at it may have a client certificate. Images of the style sheet are written in it.
 */
const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
}

const generated = (type: string, make: () => Promise<string>, headers = {}) =>
  new StaticContent({ type, read: async () => Buffer.from(await make()), headers: { ...HEADERS, ...headers } })

const packaged = (name: string, type: string) =>
  new StaticContent({
    type,
    read: () => readFile(new URL(name, import.meta.resolve('swagger-ui-dist/package.json'))),
    headers: HEADERS,
  })

async function documentOf({ server, basePath, endpoints }: DocumentedApi): Promise<string> {
  const { version } = await readProgram(server)
  return JSON.stringify(openApiDocument({ title: `Athenz ${server}`, version, basePath }, endpoints))
}

const pageOf = (server: string): string => `\
<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Athenz ${server} API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
  </head>
  <body>
    <div id="api"></div>
    <noscript>This page needs JavaScript. The same as JSON: <a href="/docs/openapi.json">openapi.json</a></noscript>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`

// Requests that change something are shown but not sent: a browser with the certificate of an administrator would do it.
const START_SCRIPT = `\
SwaggerUIBundle({
  url: '/docs/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  docExpansion: 'none',
  filter: true,
  validatorUrl: null,
  supportedSubmitMethods: ['get'],
})
`
