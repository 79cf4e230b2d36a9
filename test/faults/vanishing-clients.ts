// Clients that are about to vanish: each brings its connection into a state, and does nothing more. Says `ready` when all have,
// and ends with its input.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import tls from 'node:tls'
import { PipeliningClient, requestText } from './pipelining-client.ts'

/** Where they go, and how many of each kind. */
export interface VanishingOrder {
  readonly host: string
  readonly targets: readonly { readonly api: string; readonly port: number; readonly kinds: readonly VanishingKind[] }[]
  readonly each: number
  /** Files with the authorities, and the identity of the clients. */
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** What connections are in the middle of. */
export type VanishingKind = keyof typeof KINDS

/** For news, when there are none. */
const WAIT_SECONDS = 2

interface Connecting {
  readonly options: tls.ConnectionOptions
  /** `/zms/v1` or `/zts/v1`. */
  readonly api: string
}

const KINDS = {
  'before TLS': async ({ options: { host, port } }: Connecting) => {
    await once(
      connectPlain(Number(port), host).on('error', () => {}),
      'connect',
    )
  },
  'behind an answer': async ({ options, api }: Connecting) => {
    const client = await PipeliningClient.connect(options)
    client.send([requestText('GET', `${api}/status`)])
    await client.settled()
  },
  'within headers': ({ options, api }: Connecting) => begun(options, `GET ${api}/status HTTP/1.1\r\nhost: local`),
  'within a body': ({ options, api }: Connecting) =>
    begun(
      options,
      `POST ${api}/domain HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{`,
    ),
  'waiting for news': async ({ options, api }: Connecting) => {
    const path = `${api}/${api === '/zms/v1' ? 'sys/modified_domains?metaonly=true' : 'domain/sys.auth/signed_policy_data'}`
    const client = await PipeliningClient.connect(options)
    client.send([requestText('GET', path)])
    await client.settled()
    client.send([requestText('GET', path, { 'if-none-match': client.etag, prefer: `wait=${WAIT_SECONDS}` })])
  },
  /** Of an answer that is too long to be sent before it is read. */
  'within an answer': ({ options, api }: Connecting) =>
    begun(options, requestText('GET', `${api}/domain/faults/role/big`)),
}

async function begun(options: tls.ConnectionOptions, text: string): Promise<void> {
  const socket = tls.connect({ ...options, servername: 'localhost' }).on('error', () => {})
  await once(socket, 'secureConnect')
  socket.write(text)
}

const order = JSON.parse(process.argv[2] ?? '') as VanishingOrder
const [ca, cert, key] = [order.ca, order.cert, order.key].map((file) => readFileSync(file))
await Promise.all(
  order.targets.flatMap(({ api, port, kinds }) => {
    const options = { host: order.host, port, ca, cert, key } as tls.ConnectionOptions
    return kinds.flatMap((kind) => Array.from({ length: order.each }, () => KINDS[kind]({ options, api })))
  }),
)
process.stdout.write('ready\n')
process.stdin.resume().once('end', () => process.exit())
