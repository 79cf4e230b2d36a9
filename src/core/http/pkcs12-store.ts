import { createPrivateKey, type KeyObject } from 'node:crypto'
import forge from 'node-forge'
import { certificateFromDer, type StoreContents, type StoreKey } from './store-contents.ts'

const { asn1, pkcs12, pki } = forge

type Bag = forge.pkcs12.Bag

/**
 * Reads a PKCS#12 file (RFC 7292): private keys and certificates of every kind, encrypted as OpenSSL and Java do now
 * (PBES2) or did earlier (3DES, RC2). One password, of ASCII letters, protects the file and the keys in it.
 * Throws Error with a reason for people when it cannot be read.
 */
export function readPkcs12(bytes: Buffer, password: string): StoreContents {
  const contents = decrypted(bytes, password)
  const certificates = bagsOf(contents, pki.oids.certBag).map((bag) => certificateFromDer(certificateDer(bag)))
  const keys = [...bagsOf(contents, pki.oids.pkcs8ShroudedKeyBag), ...bagsOf(contents, pki.oids.keyBag)].map(toKey)
  return { keys, certificates }
}

type Contents = forge.pkcs12.Pkcs12Pfx

function decrypted(bytes: Buffer, password: string): Contents {
  try {
    return pkcs12.pkcs12FromAsn1(asn1.fromDer(forge.util.createBuffer(bytes.toString('latin1'))), false, password)
  } catch (cause) {
    throw new Error('it is damaged, or the password is wrong', { cause })
  }
}

function bagsOf(contents: Contents, bagType: string | undefined): Bag[] {
  return (bagType && contents.getBags({ bagType })[bagType]) || []
}

/** forge understands RSA only; what it does not, it hands on as a tree. */
function certificateDer(bag: Bag): Buffer {
  return derOf(bag.cert ? pki.certificateToAsn1(bag.cert) : bag.asn1)
}

function toKey(bag: Bag): StoreKey {
  const der = derOf(bag.key ? pki.wrapRsaPrivateKey(pki.privateKeyToAsn1(bag.key)) : bag.asn1)
  return { key: keyFromDer(der), alias: String(bag.attributes?.friendlyName?.[0] ?? '') }
}

function keyFromDer(der: Buffer): KeyObject {
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } catch (cause) {
    throw new Error('a private key does not parse', { cause })
  }
}

const derOf = (tree: forge.asn1.Asn1): Buffer => Buffer.from(asn1.toDer(tree).getBytes(), 'latin1')
