import { type KeyObject, X509Certificate } from 'node:crypto'

/** What a file with keys and certificates holds, whatever its format. */
export interface StoreContents {
  readonly keys: readonly StoreKey[]
  /** Every certificate of the file in its order, those of key entries included. */
  readonly certificates: readonly X509Certificate[]
}

/** A private key of a store. */
export interface StoreKey {
  readonly key: KeyObject
  /** Name of the entry; empty when the format has none. */
  readonly alias: string
}

/** A private key with its certificate first and the issuers behind it, as TLS sends them. */
export interface KeyWithChain {
  readonly key: KeyObject
  readonly chain: readonly X509Certificate[]
}

/**
 * The first private key of a store with its certificate and the chain above it, as far as the store has it; the root,
 * which no client needs, stays out unless it is the certificate itself.
 * Throws Error when the store has no key or no certificate that fits it.
 */
export function keyWithChain({ keys, certificates }: StoreContents): KeyWithChain {
  const [first] = keys
  if (!first) throw new Error('there is no private key')
  const leaf = certificates.find((certificate) => certificate.checkPrivateKey(first.key))
  if (!leaf) throw new Error('no certificate belongs to the private key')
  const chain = [leaf]
  for (let issuer = issuerOf(leaf, certificates); issuer; issuer = issuerOf(issuer, certificates)) {
    if (isSelfIssued(issuer) || chain.includes(issuer)) break
    chain.push(issuer)
  }
  return { key: first.key, chain }
}

/** Reads a certificate from DER bytes; a broken one is an Error that says so. */
export function certificateFromDer(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch (cause) {
    throw new Error('a certificate does not parse', { cause })
  }
}

const isSelfIssued = (certificate: X509Certificate): boolean => certificate.checkIssued(certificate)

function issuerOf(certificate: X509Certificate, candidates: readonly X509Certificate[]): X509Certificate | undefined {
  if (isSelfIssued(certificate)) return undefined
  return candidates.find((candidate) => candidate !== certificate && certificate.checkIssued(candidate))
}
