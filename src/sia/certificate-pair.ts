import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pemBlocks } from '#core/crypto/pem.ts'
import { type FileAccess, removeDurably, writeAtomically } from './atomic-file.ts'

/** A private key and the certificate that belongs to it, both as PEM. */
export interface KeyAndCertificate {
  readonly key: string
  readonly certificate: string
}

/** What is on disk. */
export interface StoredPair extends KeyAndCertificate {
  readonly privateKey: KeyObject
  readonly x509: X509Certificate
}

/** Who may read keys: their owner, and the group that they are given to. */
export const secretAccess = ({ uid, gid }: Omit<FileAccess, 'mode'>): FileAccess => ({
  mode: gid === undefined ? 0o400 : 0o440,
  uid,
  gid,
})
/** Certificates are for everybody. */
export const PUBLIC_ACCESS: FileAccess = { mode: 0o444 }

const DRAFT_ACCESS: FileAccess = { mode: 0o600 }

/**
 * A key and its certificate in the files `keys/NAME.key.pem` and `certs/NAME.cert.pem`. Two files cannot be replaced in one
 * step, so that both are written to a third one first: after a crash in between the next reading finishes the work.
 */
export class CertificatePair {
  readonly keyFile: string
  readonly certificateFile: string
  readonly #draftFile: string
  readonly #access: FileAccess

  constructor(folder: string, name: string, owner: Omit<FileAccess, 'mode'> = {}) {
    this.keyFile = join(folder, 'keys', `${name}.key.pem`)
    this.certificateFile = join(folder, 'certs', `${name}.cert.pem`)
    this.#draftFile = join(folder, 'keys', `.${name}.draft.pem`)
    this.#access = secretAccess(owner)
  }

  /** What is there; undefined when a file is missing or damaged, or the two do not belong together. */
  async read(): Promise<StoredPair | undefined> {
    await this.#finish()
    const [key, certificate] = await Promise.all([textOf(this.keyFile), textOf(this.certificateFile)])
    return key === undefined || certificate === undefined ? undefined : pairOf({ key, certificate })
  }

  /**
   * Puts a new pair in place of the former one.
   * @throws Error when key and certificate do not belong together
   */
  async install(pair: KeyAndCertificate): Promise<void> {
    if (pairOf(pair) === undefined) throw new Error('the certificate does not belong to the key')
    await writeAtomically(this.#draftFile, pair.key + pair.certificate, DRAFT_ACCESS)
    await this.#place(pair)
  }

  async #finish(): Promise<void> {
    const draft = await textOf(this.#draftFile)
    if (draft === undefined) return
    const blocks = pemBlocks(draft)
    const certificates = blocks.filter(({ label }) => label === 'CERTIFICATE')
    const key = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'))?.text ?? ''
    const pair = { key, certificate: certificates.map(({ text }) => text).join('') }
    // It was written in one step: anything else than a pair is not ours.
    if (pairOf(pair)) await this.#place(pair)
    else await removeDurably(this.#draftFile)
  }

  async #place({ key, certificate }: KeyAndCertificate): Promise<void> {
    if ((await textOf(this.keyFile)) !== key) await writeAtomically(this.keyFile, key, this.#access)
    await writeAtomically(this.certificateFile, certificate, PUBLIC_ACCESS)
    await removeDurably(this.#draftFile)
  }
}

/** The text of a file; undefined when there is none. Rejects when it cannot be read. */
export async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function pairOf(pair: KeyAndCertificate): StoredPair | undefined {
  try {
    const [privateKey, x509] = [createPrivateKey(pair.key), new X509Certificate(pair.certificate)]
    return x509.checkPrivateKey(privateKey) ? { ...pair, privateKey, x509 } : undefined
  } catch {
    return undefined
  }
}
