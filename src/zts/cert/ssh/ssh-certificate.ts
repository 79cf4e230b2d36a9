import { type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { type SshPublicKey, sshKeyBlob, sshPublicKey } from '#core/crypto/ssh-public-key.ts'
import { mpint, sshString, sshStrings, uint32, uint64 } from '#core/crypto/ssh-wire.ts'

/** What an SSH certificate says (OpenSSH, PROTOCOL.certkeys). */
export interface SshCertificateSpecification {
  readonly publicKey: SshPublicKey
  readonly certType: 'user' | 'host'
  /** Names it is for; a certificate for every name is never made. */
  readonly principals: readonly string[]
  readonly keyId: string
  /** Epoch seconds. */
  readonly validAfter: number
  readonly validBefore: number
  /** Addresses or networks that a user may come from; any when empty. */
  readonly sources: readonly string[]
  /** The only command a user may run. */
  readonly command?: string | undefined
}

/** An authority for SSH certificates. */
export interface SshAuthority {
  readonly publicKey: SshPublicKey
  /** The signature with the name of its algorithm. */
  sign(data: Buffer): Promise<Buffer>
}

/** Signature algorithm by type of key: its name, digest, and whether the signature is a pair of numbers. */
const SIGNATURES: ReadonlyMap<string, { name: string; digest: string | null; pair: boolean }> = new Map([
  ['ssh-ed25519', { name: 'ssh-ed25519', digest: null, pair: false }],
  ['ecdsa-sha2-nistp256', { name: 'ecdsa-sha2-nistp256', digest: 'sha256', pair: true }],
  ['ecdsa-sha2-nistp384', { name: 'ecdsa-sha2-nistp384', digest: 'sha384', pair: true }],
  ['ecdsa-sha2-nistp521', { name: 'ecdsa-sha2-nistp521', digest: 'sha512', pair: true }],
  // The signature that is called as the key, ssh-rsa, is made with SHA-1.
  ['ssh-rsa', { name: 'rsa-sha2-512', digest: 'sha512', pair: false }],
])

/** The authority with a private key; signatures are made on the thread pool. Throws RangeError for an unfit kind of key. */
export function sshAuthority(privateKey: KeyObject, publicKey: KeyObject): SshAuthority {
  const own = sshPublicKey(publicKey)
  const row = SIGNATURES.get(own.type)
  if (row === undefined) throw new RangeError(`no signatures are made with keys of type ${own.type}`)
  const raw = (data: Buffer) =>
    new Promise<Buffer>((resolve, reject) => {
      sign(row.digest, data, { key: privateKey, dsaEncoding: 'ieee-p1363' }, (error, signature) =>
        error ? reject(error) : resolve(signature),
      )
    })
  return {
    publicKey: own,
    async sign(data) {
      const signature = await raw(data)
      const middle = signature.length / 2
      const content = row.pair
        ? Buffer.concat([mpint(signature.subarray(0, middle)), mpint(signature.subarray(middle))])
        : signature
      return Buffer.concat([sshString(row.name), sshString(content)])
    },
  }
}

const TYPE_NUMBERS = { user: 1, host: 2 } as const
const CERTIFICATE_SUFFIX = '-cert-v01@openssh.com'
const NONCE_BYTES = 32
/** What a user's certificate allows, as ssh-keygen does unless told otherwise. Sorted, as they must be. */
const USER_EXTENSIONS = [
  'permit-X11-forwarding',
  'permit-agent-forwarding',
  'permit-port-forwarding',
  'permit-pty',
  'permit-user-rc',
]

/**
 * Makes a certificate; gives it in the one-line form of OpenSSH.
 * @throws RangeError when it names no principal, an address that is none, or a time that is not to come
 */
export async function buildSshCertificate(
  specification: SshCertificateSpecification,
  authority: SshAuthority,
): Promise<string> {
  const { publicKey, certType, principals, keyId, validAfter, validBefore } = specification
  // OpenSSH takes a certificate without principals as one for all of them.
  if (principals.length === 0 || principals.includes(''))
    throw new RangeError('an SSH certificate must name principals')
  if (validBefore <= validAfter) throw new RangeError('the validity ends before it begins')
  const type = publicKey.type + CERTIFICATE_SUFFIX
  const body = Buffer.concat([
    sshString(type),
    sshString(randomBytes(NONCE_BYTES)),
    publicKey.fields,
    uint64(randomBytes(8).readBigUInt64BE()),
    uint32(TYPE_NUMBERS[certType]),
    sshString(keyId),
    sshStrings(principals.map(sshString)),
    uint64(BigInt(validAfter)),
    uint64(BigInt(validBefore)),
    sshStrings(certType === 'user' ? criticalOptions(specification) : []),
    sshStrings(certType === 'user' ? USER_EXTENSIONS.flatMap((name) => [sshString(name), sshString('')]) : []),
    sshString(''),
    sshString(sshKeyBlob(authority.publicKey)),
  ])
  const blob = Buffer.concat([body, sshString(await authority.sign(body))])
  return `${type} ${blob.toString('base64')}`
}

/** In the order of their names. */
function criticalOptions({ command, sources }: SshCertificateSpecification): Buffer[] {
  const unfit = sources.find((source) => !isNetwork(source))
  if (unfit !== undefined) throw new RangeError('a source is not an address or network')
  return [
    ...(command === undefined ? [] : [sshString('force-command'), sshStrings([sshString(command)])]),
    ...(sources.length === 0 ? [] : [sshString('source-address'), sshStrings([sshString(sources.join(','))])]),
  ]
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...others] = text.split('/')
  const family = isIP(address)
  if (family === 0 || others.length > 0 || address.includes('%')) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}
