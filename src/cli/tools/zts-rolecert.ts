import { roleCertificateRequest } from '#client/certificate-requests.ts'
import { certificateOf } from './certificate-caller.ts'
import { REQUEST_FLAGS, requestOptions } from './certificate-flags.ts'
import { CERTIFICATE_FLAGS, openZts, PROXY_FLAG, withDefaults } from './connection.ts'
import { text, wholeNumber } from './flags.ts'
import { ORDINARY, writeOutput } from './output-file.ts'
import { failureText, readGivenFile, ToolFailure, tool } from './tool.ts'

const FLAGS = {
  ...CERTIFICATE_FLAGS,
  ...REQUEST_FLAGS,
  ...PROXY_FLAG,
  cacert: text('authorities that vouch for ZTS'),
  'role-domain': text('domain of the role'),
  'role-name': text('local name of the role'),
  'role-key-file': text('private key of the role certificate; that of the caller unless given'),
  'role-cert-file': text('where the certificate goes; standard output unless given'),
  'old-role-cert': text('the certificate that is replaced'),
  'expiry-time': wholeNumber('life of the certificate in minutes'),
  domain: text('taken for the sake of older scripts; the certificate of the caller says it'),
  service: text('likewise'),
}

/** `zts-rolecert`: gets a certificate of a role for the caller. */
export const ztsRoleCert = tool({
  name: 'zts-rolecert',
  about: 'Gets a certificate of a role from ZTS.',
  usages: [
    '-zts <url> -role-domain <domain> -role-name <role> -dns-domain <suffix> -svc-key-file <file> -svc-cert-file <file> [-cacert <file>] [-role-key-file <file>] [-role-cert-file <file>]',
  ],
  flags: FLAGS,
  async run(flags, machine) {
    const given = await withDefaults(flags, machine)
    const { 'role-domain': roleDomain, 'role-name': roleName, zts: url, cacert: caFile, proxy } = given
    const certificateFile = given['svc-cert-file']
    const keyFile = given['svc-key-file']
    if (!(roleDomain && roleName && url && certificateFile && keyFile && given['dns-domain'])) {
      throw new ToolFailure('Error: missing required attributes. Run with -help for command line arguments')
    }
    const identity = await certificateOf(certificateFile, keyFile)
    const principal = identity.name
    if (principal === undefined) throw new ToolFailure(`the certificate in ${certificateFile} names no service`)
    const privateKey = await readGivenFile(given['role-key-file'] || keyFile, 'private key')
    const wanted = { ...requestOptions(given), roleDomain, roleName, privateKey, principal }
    if (given.csr) {
      machine.print(printedPem(await roleCertificateRequest(wanted)))
      return
    }
    const previous = given['old-role-cert']
    await using zts = openZts({ url, caFile, identity, proxy }, machine)
    const certificate = await zts
      .getRoleCertificate({
        ...wanted,
        ...(previous !== '' && { previousCertificate: await readGivenFile(previous, 'certificate') }),
        ...(given['expiry-time'] > 0 && { expiryMinutes: given['expiry-time'] }),
      })
      .catch((error: unknown) => {
        throw new ToolFailure(`no certificate for ${roleDomain}:role.${roleName}: ${failureText(error)}`)
      })
    if (given['role-cert-file'] === '') machine.print(printedPem(certificate))
    else await writeOutput(given['role-cert-file'], certificate, ORDINARY)
  },
})

/** A PEM text as the original's tools print it: an empty line follows. */
export const printedPem = (pem: string): string => `${pem.trimEnd()}\n\n`
