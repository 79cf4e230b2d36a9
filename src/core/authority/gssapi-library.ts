import type { KerberosAnswer } from './kerberos-message.ts'
import { importKoffi, type Koffi, loadNativeLibrary } from './native-library.ts'

/** libgssapi_krb5 with the credentials of one service. Its calls may block, so it belongs into a process of its own. */
export interface GssapiLibrary {
  /** Accepts the first token of a client, SPNEGO or Kerberos; one that wants another round is refused. */
  accept(token: Uint8Array): KerberosAnswer
}

// Values of the C binding of GSS-API version 2, RFC 2744, appendix A.
const ACCEPT = 2
const INDEFINITE = 0xffffffff
const COMPLETE = 0
const CONTINUE_NEEDED = 1
const FAILURE = 13 << 16
const ANONYMOUS_FLAG = 64
const ROUTINE_STATUS = 1
const MECHANISM_STATUS = 2
/** The upper half of a status is that of an error; the lower half only adds information. */
const ERROR_MASK = 0xffff0000
/** Texts of one status; there is one per status as a rule. */
const STATUS_TEXT_MAX_COUNT = 8

/** Object identifiers in DER, without tag and length. */
const KERBEROS = Buffer.from('2a864886f712010202', 'hex')
const SPNEGO = Buffer.from('2b0601050502', 'hex')
const KERBEROS_PRINCIPAL_NAME = Buffer.from('2a864886f71201020201', 'hex')

/**
 * Loads koffi and MIT's libgssapi_krb5 and takes the key of `servicePrincipal` (`HTTP/zms.example.com@EXAMPLE.COM`) out of
 * the key table that the environment variable KRB5_KTNAME names. Throws an Error that says what is missing.
 */
export async function loadGssapiLibrary(servicePrincipal: string): Promise<GssapiLibrary> {
  const koffi = await importKoffi()
  const gss = bind(koffi)
  const kerberos = identifier(KERBEROS)
  const identifiers = gss.identifierSet([KERBEROS, SPNEGO])
  const onlyKerberos = gss.identifierSet([KERBEROS])

  const statusTexts = (status: number, type: number): string[] => {
    const texts: string[] = []
    const more: [number] = [0]
    do {
      const text = gss.newBuffer()
      if (isError(gss.displayStatus([0], status, type, kerberos, more, text))) break
      texts.push(gss.takeText(text))
    } while (more[0] !== 0 && texts.length < STATUS_TEXT_MAX_COUNT)
    return texts
  }
  /** The status for failures that have none of their own only says that the other one says more. */
  const describe = (major: number, minor: number): string => {
    const details = minor === 0 ? [] : statusTexts(minor, MECHANISM_STATUS)
    const isUnspecified = (major & ERROR_MASK) === FAILURE && details.length > 0
    return [...(isUnspecified ? [] : statusTexts(major, ROUTINE_STATUS)), ...details].join(': ')
  }
  const mustSucceed = (what: string, major: number, [minor]: [number]) => {
    if (isError(major)) throw new Error(`${what}: ${describe(major, minor)}`)
  }

  const acquire = (): bigint => {
    const minor: [number] = [0]
    const name: Out = [null]
    const credentials: Out = [null]
    const type = identifier(KERBEROS_PRINCIPAL_NAME)
    mustSucceed(
      `${servicePrincipal} is no name of Kerberos`,
      gss.importName(minor, gss.inputOf(Buffer.from(servicePrincipal)), type, name),
      minor,
    )
    const major = gss.acquireCredentials(minor, name[0], INDEFINITE, identifiers, ACCEPT, credentials, null, null)
    mustSucceed(`the key table has no key of ${servicePrincipal}`, major, minor)
    // Within SPNEGO a client could else choose another mechanism, whose names mean something else.
    mustSucceed('Kerberos', gss.limitMechanisms(minor, credentials[0], onlyKerberos), minor)
    gss.releaseName([0], name)
    return credentials[0] as bigint
  }
  const nameOf = (name: bigint | null): string => {
    const minor: [number] = [0]
    const text = gss.newBuffer()
    mustSucceed('the name of the client', gss.displayName(minor, name, text, null), minor)
    return gss.takeText(text)
  }

  const credentials = acquire()
  return {
    accept: (token) => {
      const minor: [number] = [0]
      const context: Out = [null]
      const source: Out = [null]
      const mechanism: Out = [null]
      const flags: [number] = [0]
      const output = gss.newBuffer()
      try {
        const major = gss.accept(
          minor,
          context,
          credentials,
          gss.inputOf(token),
          null,
          source,
          mechanism,
          output,
          flags,
          null,
          null,
        )
        if (isError(major)) return refused(describe(major, minor[0]))
        if ((major & CONTINUE_NEEDED) !== 0) return refused('the client wants another round')
        if (major !== COMPLETE) return refused(describe(major, minor[0]) || `status ${major}`)
        if (!gss.elementsOf(mechanism[0]).equals(KERBEROS)) return refused('the mechanism is not Kerberos')
        if ((flags[0] & ANONYMOUS_FLAG) !== 0) return refused('the client is anonymous')
        return { accepted: true, client: nameOf(source[0]) }
      } finally {
        gss.releaseBuffer([0], output)
        if (source[0] !== null) gss.releaseName([0], source)
        if (context[0] !== null) gss.deleteContext([0], context, null)
      }
    },
  }
}

const isError = (major: number): boolean => (major & ERROR_MASK) !== 0
const refused = (reason: string): KerberosAnswer => ({ accepted: false, reason })

/** Where a function puts a handle, or takes one from. */
type Out = [bigint | null]

/** A buffer that a function of the library fills. */
interface FilledBuffer {
  length: number
  value: bigint | null
}

const identifier = (elements: Buffer) => ({ length: elements.length, elements })

function bind(koffi: Koffi) {
  const library = loadNativeLibrary(koffi, 'libgssapi_krb5.so.2')
  koffi.struct('GssBuffer', { length: 'size_t', value: 'void *' })
  const identifierType = koffi.struct('GssIdentifier', { length: 'uint32_t', elements: 'void *' })
  koffi.struct('GssIdentifierSet', { count: 'size_t', elements: 'void *' })
  const identifierBytes = koffi.sizeof(identifierType)
  const releaseBuffer = library.func('uint32_t gss_release_buffer(_Out_ uint32_t *, _Inout_ GssBuffer *)')
  const bytesAt = (address: bigint | null, length: number): Buffer =>
    address === null
      ? Buffer.alloc(0)
      : Buffer.from(koffi.decode(address, koffi.array('uint8_t', length)) as Uint8Array)

  return {
    importName: library.func('uint32_t gss_import_name(_Out_ uint32_t *, GssBuffer *, GssIdentifier *, _Out_ void **)'),
    releaseName: library.func('uint32_t gss_release_name(_Out_ uint32_t *, _Inout_ void **)'),
    acquireCredentials: library.func(
      'uint32_t gss_acquire_cred(_Out_ uint32_t *, void *, uint32_t, GssIdentifierSet *, int, _Out_ void **, void *, void *)',
    ),
    limitMechanisms: library.func('uint32_t gss_set_neg_mechs(_Out_ uint32_t *, void *, GssIdentifierSet *)'),
    accept: library.func(
      'uint32_t gss_accept_sec_context(_Out_ uint32_t *, _Inout_ void **, void *, GssBuffer *, void *, _Out_ void **, ' +
        '_Out_ void **, _Out_ GssBuffer *, _Out_ uint32_t *, void *, void *)',
    ),
    deleteContext: library.func('uint32_t gss_delete_sec_context(_Out_ uint32_t *, _Inout_ void **, void *)'),
    displayName: library.func('uint32_t gss_display_name(_Out_ uint32_t *, void *, _Out_ GssBuffer *, void *)'),
    displayStatus: library.func(
      'uint32_t gss_display_status(_Out_ uint32_t *, uint32_t, int, GssIdentifier *, _Inout_ uint32_t *, _Out_ GssBuffer *)',
    ),
    releaseBuffer,
    /** Kept for as long as the process lives, because the library may keep the address. */
    identifierSet: (identifiers: readonly Buffer[]) => {
      const elements = koffi.alloc(identifierType, identifiers.length)
      identifiers.forEach((each, index) => {
        const bytes = koffi.alloc('uint8_t', each.length)
        koffi.encode(bytes, koffi.array('uint8_t', each.length), each)
        koffi.encode(elements, index * identifierBytes, identifierType, { length: each.length, elements: bytes })
      })
      return { count: identifiers.length, elements }
    },
    inputOf: (bytes: Uint8Array) => ({ length: bytes.length, value: bytes }),
    newBuffer: (): FilledBuffer => ({ length: 0, value: null }),
    takeText: (filled: FilledBuffer): string => {
      const text = bytesAt(filled.value, filled.length).toString('utf8')
      releaseBuffer([0], filled)
      return text
    },
    elementsOf: (address: bigint | null): Buffer => {
      if (address === null) return Buffer.alloc(0)
      const { length, elements } = koffi.decode(address, identifierType) as { length: number; elements: bigint }
      return bytesAt(elements, length)
    },
  }
}
