import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSigner, type Signer } from '#core/crypto/signing.ts'
import { principalTypes } from '#core/names/principal-name.ts'
import { DomainSigner } from '#zms/service/domain-signer.ts'
import type { Domain } from '#zms/store/model.ts'

/** Domains as ZTS keeps them in files, signed with a key of their own. */
export interface SignedCopy {
  /** Has a file for each domain, and nothing else. */
  readonly folder: string
  /** PEM file with the public key. */
  readonly keyFile: string
  readonly publicKey: KeyObject
  readonly signer: Signer
  readonly bytes: number
}

/** Domains that are signed at the same time. */
const PARALLEL = 16

/** The system domain, without which ZTS does not start. */
const SYSTEM = 'sys.auth'

/** Signs domains, and an empty system domain, as ZMS does, and writes them into files of a folder as ZTS does. */
export async function writeSignedCopy(
  folder: string,
  domains: Iterable<Domain>,
  family: 'rsa' | 'ec',
): Promise<SignedCopy> {
  const { privateKey, publicKey } =
    family === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const signer = createSigner(privateKey, '0')
  const keyFile = join(folder, 'zms-public.pem')
  const copy = join(folder, 'copy')
  await mkdir(copy, { recursive: true })
  await writeFile(keyFile, publicKey.export({ type: 'spki', format: 'pem' }))
  const rest = withSystem(domains)
  let bytes = 0
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (let next = rest.next(); !next.done; next = rest.next()) {
        const signed = await signedDomain(signer, next.value)
        bytes += signed.length
        await writeFile(join(copy, next.value.name), signed)
      }
    }),
  )
  return { folder: copy, keyFile, publicKey, signer, bytes }
}

/** A domain as ZMS sends it. */
export async function signedDomain(signer: Signer, domain: Domain): Promise<Buffer> {
  return new DomainSigner(signer, () => principalTypes.user).signed(domain, { conditions: false })
}

function* withSystem(domains: Iterable<Domain>): Generator<Domain> {
  let first: Domain | undefined
  for (const domain of domains) {
    first ??= domain
    yield domain
  }
  if (first === undefined) return
  yield { ...first, name: SYSTEM, roles: new Map(), policies: new Map(), services: new Map() }
}
