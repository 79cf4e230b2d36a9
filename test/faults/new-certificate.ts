import { execFile } from 'node:child_process'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CA_FILES } from '../../src/cli/dev-certificates.ts'
import type { FaultServerName, FaultServers } from './fault-servers.ts'

const run = promisify(execFile)

/** Where a server has its certificate and the key of it. */
export interface CertificateFiles {
  readonly certificate: string
  readonly key: string
}

export function certificateFilesOf(servers: FaultServers, name: FaultServerName): CertificateFiles {
  const folder = servers.layout(name).certificatesFolder
  return { certificate: join(folder, `${name}_cert.pem`), key: join(folder, `${name}_key.pem`) }
}

/** Puts a new key and certificate in place, the key first, each at once. `address`: where the server is, beside this machine. */
export async function putNewCertificate(servers: FaultServers, name: FaultServerName, address?: string): Promise<void> {
  const { certificate, key } = certificateFilesOf(servers, name)
  const [newKey, newCertificate] = [`${key}.new`, `${certificate}.new`]
  const subject = `/CN=sys.auth.${name} -days 2`
  const further = address === undefined ? '' : `,IP:${address}`
  const options =
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj ${subject} -addext extendedKeyUsage=serverAuth,clientAuth` +
    ` -addext subjectAltName=DNS:localhost,IP:127.0.0.1${further}`
  const authority = ['-CA', join(servers.dir, CA_FILES.certificate), '-CAkey', join(servers.dir, CA_FILES.key)]
  await run('openssl', [...options.split(' '), ...authority, '-keyout', newKey, '-out', newCertificate])
  await rename(newKey, key)
  await rename(newCertificate, certificate)
}
