import assert from 'node:assert/strict'
import { sign, X509Certificate } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bitString, boolean, contextPrimitive, fromDer, oid, sequence, toDer } from '#core/crypto/certificate-asn1.ts'
import { alternativeNamesToAsn1 } from '#core/crypto/certificate-name.ts'
import { DerReader, derTags, idOf, readOid } from '#core/crypto/der-reader.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { type CertificateRequestView, readCertificateRequest } from '#zts/cert/certificate-request.ts'
import {
  extensionRequest,
  REQUEST_KEY,
  type RequestParts,
  requestDer,
  requestPem,
} from '../../support/certificate-requests.ts'
import { requestVectors } from '../../support/cryptography-vectors.ts'
import { signingRequest, testAuthority } from './signing-support.ts'

const LIMIT_MILLIS = 50
const { signer } = await testAuthority()

/**
 * Reads a request that may be anything: it is refused with a status and a reason, or it becomes a certificate that has
 * no power but that of every certificate. Both within the limit of time, which a busy machine may miss once.
 */
async function judge(csr: string): Promise<'refused' | 'accepted'> {
  let fastest = Number.POSITIVE_INFINITY
  let outcome: CertificateRequestView | ServiceError | undefined
  for (let attempt = 0; attempt < 3 && fastest > LIMIT_MILLIS; attempt++) {
    const start = performance.now()
    outcome = await readCertificateRequest(csr).catch((error: unknown) => {
      assert.ok(error instanceof ServiceError, `not a reason for a client: ${String(error)}`)
      return error
    })
    fastest = Math.min(fastest, performance.now() - start)
  }
  assert.ok(fastest <= LIMIT_MILLIS, `${fastest} ms for ${csr.slice(0, 2000)}`)
  if (outcome instanceof ServiceError) {
    assert.equal(outcome.status, 400)
    assert.match(outcome.message, /^(the certificate request is refused: it|Invalid|CSR |the)/)
    return 'refused'
  }
  const request = outcome as CertificateRequestView
  assertPowerless(await signer.sign({ ...(await signingRequest(csr)), request }), request)
  return 'accepted'
}

/** Extensions of every certificate, with the only value that they may have. */
const FIXED_EXTENSIONS = new Map([
  [idOf('2.5.29.19'), toDer(sequence())],
  [idOf('2.5.29.15'), toDer(bitString(Buffer.from([0b1010_0000]), 5))],
  [idOf('2.5.29.37'), toDer(sequence(oid('1.3.6.1.5.5.7.3.2'), oid('1.3.6.1.5.5.7.3.1')))],
])
const ALTERNATIVE_NAME = idOf('2.5.29.17')
const AUTHORITY_KEY = idOf('2.5.29.35')

function assertPowerless(pem: string, request: CertificateRequestView): void {
  const certificate = new X509Certificate(pem)
  assert.equal(certificate.ca, false)
  assert.ok(certificate.publicKey.equals(request.publicKey))
  const found = extensionsOf(certificate.raw)
  for (const [id, value] of FIXED_EXTENSIONS) assert.ok(found.get(id)?.equals(value), id)
  const { alternativeNames } = request
  const names = alternativeNames.length === 0 ? undefined : toDer(alternativeNamesToAsn1(alternativeNames))
  assert.deepEqual(found.get(ALTERNATIVE_NAME), names)
  const known = new Set([...FIXED_EXTENSIONS.keys(), ALTERNATIVE_NAME, AUTHORITY_KEY])
  assert.deepEqual(
    [...found.keys()].filter((id) => !known.has(id)),
    [],
  )
}

function extensionsOf(der: Buffer): Map<string, Buffer> {
  const fields = new DerReader(der).enter().enter()
  while (fields.nextTag !== 0xa3) fields.next()
  const list = fields.enter(0xa3).enter()
  const found = new Map<string, Buffer>()
  while (!list.done) {
    const extension = list.enter()
    const id = readOid(extension)
    if (extension.nextTag === derTags.boolean) extension.next()
    found.set(id, extension.next(derTags.octetString).content)
  }
  return found
}

const GOOD: RequestParts = {
  subject: [
    { type: 'C', value: 'US' },
    { type: 'O', value: 'Athenz' },
    { type: 'CN', value: 'sports.api' },
  ],
  names: [
    { type: 'dns', value: 'api.sports.athenz.cloud' },
    { type: 'ip', value: '10.1.2.3' },
    { type: 'uri', value: 'athenz://instanceid/sys.auth.zts/i-1' },
  ],
  extensions: [{ id: '2.5.29.37', value: sequence(oid('1.3.6.1.5.5.7.3.1')) }],
}
const good = requestDer(GOOD)

/** A value of DER that can be changed and written, wrongly too. */
interface Node {
  tag: number
  content: Node[] | Buffer
  /** How its length is written. */
  length?: 'long' | 'indefinite'
}

function treeOf(bytes: Buffer): Node {
  const { tag, content } = new DerReader(bytes).next()
  if ((tag & 0x20) === 0) return { tag, content: Buffer.from(content) }
  const children: Node[] = []
  const reader = new DerReader(content)
  while (!reader.done) children.push(treeOf(reader.next().bytes))
  return { tag, content: children }
}

function write({ tag, content, length }: Node): Buffer {
  const inner = Buffer.isBuffer(content) ? content : Buffer.concat(content.map(write))
  if (length === 'indefinite') return Buffer.concat([Buffer.from([tag, 0x80]), inner, Buffer.alloc(2)])
  const digits = Buffer.from(inner.length.toString(16).padStart(inner.length > 0xffff ? 6 : 4, '0'), 'hex')
  const short = inner.length < 0x80 && length === undefined
  const shortest = inner.length < 0x100 && length === undefined ? digits.subarray(-1) : digits
  const header = short ? [tag, inner.length] : [tag, 0x80 + shortest.length, ...shortest]
  return Buffer.concat([Buffer.from(header), inner])
}

/** All values of a tree, from the outside to the inside. */
const nodesOf = (node: Node): Node[] => [node, ...(Array.isArray(node.content) ? node.content.flatMap(nodesOf) : [])]

/** A request with this body, signed with the key of all requests, so that only the body can be wrong. */
function signed(body: Buffer): string {
  const algorithm = { tag: 0x30, content: [{ tag: 0x06, content: Buffer.from(idOf('1.2.840.10045.4.3.2'), 'hex') }] }
  const signature = sign('sha256', body, REQUEST_KEY)
  const bits = { tag: 0x03, content: Buffer.concat([Buffer.alloc(1), signature]) }
  const inner = Buffer.concat([body, write(algorithm), write(bits)])
  return requestPem(write({ tag: 0x30, content: inner }))
}

const bodyOf = (der: Buffer): Buffer => new DerReader(der).enter().next().bytes

type Mutation = (node: Node, parent: Node | undefined, bytes: Buffer) => void

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'left out': (node, parent) => {
    if (Array.isArray(parent?.content)) parent.content.splice(parent.content.indexOf(node), 1)
  },
  'put in twice': (node, parent) => {
    if (Array.isArray(parent?.content)) parent.content.splice(parent.content.indexOf(node), 0, node)
  },
  'given another type': (node, _parent, bytes) => {
    node.tag = bytes[0] ?? 0
  },
  'given another content': (node, _parent, bytes) => {
    node.content = bytes
  },
  'cut off': (node) => {
    node.content = Buffer.isBuffer(node.content) ? node.content.subarray(0, -1) : node.content.slice(0, -1)
  },
  'put into sequences': (node, _parent, bytes) => {
    for (let depth = 0; depth <= (bytes[0] ?? 0); depth++) node.content = [{ ...node }]
  },
  'given a long length': (node) => {
    node.length = 'long'
  },
  'given an indefinite length': (node) => {
    node.length = 'indefinite'
  },
}

describe('requests that are damaged', () => {
  it('are read when nothing is wrong with them', async () => {
    assert.equal(await judge(requestPem(good)), 'accepted')
    assert.equal(await judge(signed(bodyOf(good))), 'accepted')
    assert.ok(write(treeOf(good)).equals(good))
  })

  it('are refused wherever they are cut off', async () => {
    for (let length = 0; length < good.length; length++) {
      assert.equal(await judge(requestPem(good.subarray(0, length))), 'refused', `after ${length} bytes`)
    }
  })

  it('are refused when any bit is another one', async () => {
    for (let position = 0; position < good.length; position++) {
      const copy = Buffer.from(good)
      copy.writeUInt8(copy.readUInt8(position) ^ (1 << (position % 8)), position)
      assert.equal(await judge(requestPem(copy)), 'refused', `at byte ${position}`)
    }
  })

  it('are refused, or lose what they ask for, when a signed value is changed', async () => {
    const count = nodesOf(treeOf(bodyOf(good))).length
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.constantFrom(...Object.keys(MUTATIONS)),
            fc.nat(count - 1),
            fc.uint8Array({ minLength: 1, maxLength: 40 }),
          ),
          {
            minLength: 1,
            maxLength: 3,
          },
        ),
        async (changes) => {
          const tree = treeOf(bodyOf(good))
          const nodes = nodesOf(tree)
          for (const [name, index, bytes] of changes) {
            const node = nodes[index] as Node
            const parent = nodes.find(({ content }) => Array.isArray(content) && content.includes(node))
            MUTATIONS[name]?.(node, parent, Buffer.from(bytes))
          }
          await judge(signed(write(tree)))
        },
      ),
      { numRuns: 600 },
    )
  })

  it('are refused when the body is anything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        assert.equal(await judge(signed(Buffer.from(bytes))), 'refused')
      }),
      { numRuns: 200 },
    )
  })

  it('are refused when the text is anything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (text) => {
        assert.equal(
          await judge(`-----BEGIN CERTIFICATE REQUEST-----\n${text}\n-----END CERTIFICATE REQUEST-----\n`),
          'refused',
        )
        assert.equal(await judge(text), 'refused')
      }),
      { numRuns: 200 },
    )
  })
})

describe('requests that are made to cost time', () => {
  const many = <T>(count: number, make: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, index) => make(index))
  const costly: readonly [string, () => string, 'refused' | 'accepted'][] = [
    [
      'ten thousand sequences in each other',
      () => {
        let bytes: Buffer = Buffer.alloc(0)
        for (let depth = 0; depth < 10_000; depth++) bytes = write({ tag: 0x30, content: bytes })
        return requestPem(bytes)
      },
      'refused',
    ],
    [
      'ten thousand sequences in the subject',
      () => {
        let bytes: Buffer = Buffer.alloc(0)
        for (let depth = 0; depth < 10_000; depth++) bytes = write({ tag: 0x30, content: bytes })
        const body = treeOf(bodyOf(good))
        if (Array.isArray(body.content)) body.content[1] = { tag: 0x30, content: bytes }
        return signed(write(body))
      },
      'refused',
    ],
    [
      'a thousand names',
      () =>
        requestPem(
          requestDer({ names: many(1000, (index) => ({ type: 'dns', value: `host-${index}.athenz.cloud` })) }),
        ),
      'accepted',
    ],
    [
      'a million names',
      () => requestPem(requestDer({ names: many(100_000, (index) => ({ type: 'dns', value: `h${index}` })) })),
      'refused',
    ],
    [
      'thousands of extensions',
      () =>
        requestPem(
          requestDer({ extensions: many(3000, (index) => ({ id: `1.3.${index}.1`, value: Buffer.alloc(2) })) }),
        ),
      'accepted',
    ],
    [
      'thousands of attributes of one type',
      () => requestPem(requestDer({ attributes: many(2000, () => extensionRequest()) })),
      'refused',
    ],
    [
      'a common name of 40,000 letters',
      () => requestPem(requestDer({ subject: [{ type: 'CN', value: 'a.'.repeat(20_000) }] })),
      'accepted',
    ],
    [
      'a key of 400,000 bits',
      () => {
        const modulus = Buffer.concat([Buffer.from([0, 0xff]), Buffer.alloc(40_000, 0xff)])
        const key = {
          tag: 0x30,
          content: [
            { tag: 2, content: modulus },
            { tag: 2, content: Buffer.from([1, 0, 1]) },
          ],
        }
        const algorithm = sequence(oid('1.2.840.113549.1.1.1'), fromDer(Buffer.from([5, 0])))
        return requestPem(requestDer({ publicKey: sequence(algorithm, bitString(write(key))) }))
      },
      'refused',
    ],
    [
      'a key with an exponent of thousands of bits',
      () => {
        const modulus = Buffer.concat([Buffer.from([0]), Buffer.alloc(1024, 0xff)])
        const exponent = Buffer.alloc(1023, 0x7f)
        const key = {
          tag: 0x30,
          content: [
            { tag: 2, content: modulus },
            { tag: 2, content: exponent },
          ],
        }
        const algorithm = sequence(oid('1.2.840.113549.1.1.1'), fromDer(Buffer.from([5, 0])))
        return requestPem(requestDer({ publicKey: sequence(algorithm, bitString(write(key))) }))
      },
      'refused',
    ],
    [
      'sixteen megabytes of text',
      () => `-----BEGIN CERTIFICATE REQUEST-----\n${'A'.repeat(16_000_000)}\n-----END CERTIFICATE REQUEST-----\n`,
      'refused',
    ],
    ['a hundred thousand beginnings', () => '-----BEGIN '.repeat(5_900), 'refused'],
  ]
  for (const [name, make, outcome] of costly) {
    it(`${name} are ${outcome} at once`, async () => {
      assert.equal(await judge(make()), outcome)
    })
  }
})

describe('what requests ask for', () => {
  const asked: readonly [string, RequestParts['extensions'] & object][] = [
    [
      'both sides of TLS and code signing',
      [{ id: '2.5.29.37', value: sequence(oid('1.3.6.1.5.5.7.3.3'), oid('2.5.29.37.0')) }],
    ],
    [
      'signatures that cannot be denied',
      [{ id: '2.5.29.15', value: bitString(Buffer.from([0b1111_1000]), 3), critical: true }],
    ],
    [
      'names of other kinds',
      [
        {
          id: '2.5.29.17',
          value: sequence(contextPrimitive(8, Buffer.from([0x2a, 3])), contextPrimitive(2, Buffer.from('a.b'))),
        },
      ],
    ],
    [
      'policies and constraints of names',
      [
        { id: '2.5.29.32', value: sequence(sequence(oid('2.5.29.32.0'))) },
        { id: '2.5.29.30', value: sequence() },
      ],
    ],
    ['a key identifier of its own', [{ id: '2.5.29.14', value: Buffer.from([4, 1, 1]) }]],
  ]
  for (const [name, extensions] of asked) {
    it(`${name}: none of it reaches the certificate`, async () => {
      assert.equal(await judge(requestPem(requestDer({ ...GOOD, names: [], extensions }))), 'accepted')
    })
  }

  it('refuses whoever wants to be an authority', async () => {
    const extensions = [{ id: '2.5.29.19', value: sequence(boolean(true)) }]
    assert.equal(await judge(requestPem(requestDer({ ...GOOD, extensions }))), 'refused')
  })
})

describe('the requests of cryptography_vectors', () => {
  /** Those that are in order; all others are not. */
  const GOOD_VECTORS: ReadonlySet<string> = new Set([
    'challenge-unstructured.pem',
    'challenge.pem',
    'ec_sha256.der',
    'ec_sha256.pem',
    'ec_sha256_old_header.pem',
    // An optional value is written although it is the default one, as a widespread server does.
    'freeipa-bad-critical.pem',
    'rsa_sha256.der',
    'rsa_sha256.pem',
  ])

  it('are told apart', async (t) => {
    const vectors = await requestVectors()
    if (typeof vectors === 'string') return t.skip(vectors)
    assert.ok(vectors.length > 20)
    for (const { name, content } of vectors) {
      const pem = name.endsWith('.der') ? requestPem(content) : content.toString('latin1')
      assert.equal(await judge(pem), GOOD_VECTORS.has(name) ? 'accepted' : 'refused', name)
    }
  })
})
