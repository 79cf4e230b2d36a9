import { createPrivateKey, X509Certificate } from 'node:crypto'
import { certificateIdentity, type Identity } from '#client/identity.ts'
import { messageOf } from '#core/error/message-of.ts'
import { readGivenFile, ToolFailure } from './tool.ts'

/** Somebody with a certificate and its key in files. Throws a ToolFailure when they cannot be used together. */
export async function certificateOf(certificateFile: string, keyFile: string): Promise<Identity> {
  const key = await readGivenFile(keyFile, 'private key')
  const cert = await readGivenFile(certificateFile, 'certificate')
  let belong: boolean
  try {
    belong = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
  } catch (error) {
    throw new ToolFailure(`unable to use ${certificateFile} with ${keyFile}: ${messageOf(error)}`)
  }
  if (!belong) throw new ToolFailure(`the key in ${keyFile} does not belong to the certificate in ${certificateFile}`)
  return certificateIdentity({ cert, key })
}
