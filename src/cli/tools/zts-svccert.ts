import { newPrivateKey, serviceCertificateRequest } from '#client/certificate-requests.ts'
import { keyPairIdentity } from '#client/key-pair-identity.ts'
import type { ZtsClient } from '#client/zts-client.ts'
import { certificateOf } from './certificate-caller.ts'
import { REQUEST_FLAGS, requestOptions } from './certificate-flags.ts'
import { CERTIFICATE_FLAGS, callerOf, namesCaller, openZts, TOKEN_FLAGS } from './connection.ts'
import { readDefaultConfig } from './default-config.ts'
import { type FlagValues, text, toggle, wholeNumber } from './flags.ts'
import { PRIVATE, READ_ONLY, writeOutput } from './output-file.ts'
import { type Machine, MisuseFailure, readGivenFile, ToolFailure, tool } from './tool.ts'
import { printedPem } from './zts-rolecert.ts'

const FLAGS = {
  ...CERTIFICATE_FLAGS,
  ...TOKEN_FLAGS,
  ...REQUEST_FLAGS,
  cacert: text('authorities that vouch for ZTS'),
  domain: text('domain of the service'),
  service: text('local name of the service'),
  'private-key': text('private key of the certificate'),
  'key-version': text('id under which its public key is registered in ZMS'),
  'service-cert': text('certificate of the service, to call with it instead of a token'),
  provider: text('service that vouches for the instance'),
  instance: text('id of the instance'),
  'attestation-data': text(
    'file with what the provider knows the instance by; with -get-instance-register-token: where it goes',
  ),
  'get-instance-register-token': toggle('get a token with which an instance may register, and end'),
  'use-instance-register-token': toggle('get such a token and register with it'),
  'cert-file': text('where the certificate goes; standard output unless given'),
  'signer-cert-file': text('where the certificates of its authorities go'),
  'signer-key-id': text('key of the authority that signs, by its id'),
  'expiry-time': wholeNumber('life of the certificate in minutes'),
}
type Given = FlagValues<typeof FLAGS>

/** Life of tokens that are signed for one request. */
const TOKEN_LIFE_SECONDS = 600
/** Who issues to services without a provider, as instance URIs name it. */
const NO_PROVIDER = 'zts'

/** `zts-svccert`: gets a certificate of a service. */
export const ztsSvcCert = tool({
  name: 'zts-svccert',
  about: 'Gets a certificate of a service from ZTS.',
  usages: [
    '-zts <url> -domain <domain> -service <service> -private-key <file> -key-version <id> -dns-domain <suffix> [-cert-file <file>] [-provider <service> -instance <id>]',
    '-zts <url> -domain <domain> -service <service> -private-key <file> -service-cert <file> -key-version <id> -dns-domain <suffix>',
    '-zts <url> -domain <domain> -service <service> -private-key <file> -provider <service> -instance <id> -attestation-data <file> -dns-domain <suffix>',
    '-use-instance-register-token -zts <url> -svc-key-file <file> -svc-cert-file <file>|-ntoken-file <file> -domain <domain> -service <service> -private-key <file> -provider <service> -instance <id> -dns-domain <suffix>',
    '-get-instance-register-token -zts <url> -svc-key-file <file> -svc-cert-file <file>|-ntoken-file <file> -domain <domain> -service <service> -provider <service> -instance <id> [-attestation-data <file>]',
    '-csr -domain <domain> -service <service> -private-key <file> -dns-domain <suffix> [-provider <service> -instance <id>]',
  ],
  flags: FLAGS,
  async run(flags, machine) {
    const config = await readDefaultConfig(machine.home)
    const given: Given = { ...flags, zts: flags.zts || (config.zts ?? '') }
    const { domain, service, 'dns-domain': dnsDomain, 'private-key': keyFile } = given
    if (given['get-instance-register-token']) {
      await saveRegisterToken(given, machine)
      return
    }
    if (!(domain && service && dnsDomain && keyFile)) throw missing()
    if (given.csr) {
      machine.print(printedPem(await certificateRequest(given, await readGivenFile(keyFile, 'private key'))))
      return
    }
    if (given.zts === '')
      throw new MisuseFailure('Error: missing ZTS Server url. Run with -help for command line arguments')
    const issued = await issue(given, machine)
    if (given['cert-file'] === '') machine.print(printedPem(issued.certificate))
    else await writeOutput(given['cert-file'], issued.certificate, READ_ONLY)
    if (given['signer-cert-file'] !== '') {
      await writeOutput(given['signer-cert-file'], issued.authorities ?? '', READ_ONLY)
    }
  },
})

const missing = () => new MisuseFailure('Error: missing required attributes. Run with -help for command line arguments')

interface Issued {
  readonly certificate: string
  /** PEM. */
  readonly authorities: string | undefined
}

async function issue(given: Given, machine: Machine): Promise<Issued> {
  if (given['use-instance-register-token']) {
    const attestationData = await registerToken(given, machine)
    return register(given, { attestationData, privateKey: await keyInPlace(given['private-key']) }, machine)
  }
  const privateKey = await readGivenFile(given['private-key'], 'private key')
  if (given.provider === '') return refresh(given, privateKey, machine)
  const file = given['attestation-data']
  const attestationData =
    file === '' ? await signedToken(given, privateKey).token() : await readGivenFile(file, 'attestation data')
  return register(given, { attestationData, privateKey }, machine)
}

/** Registers an instance, for which the provider vouches. */
async function register(
  given: Given,
  { attestationData, privateKey }: { readonly attestationData: string; readonly privateKey: string },
  machine: Machine,
): Promise<Issued> {
  await using zts = await anonymous(given, machine)
  const { x509Certificate, x509CertificateSigner } = await zts.call('postInstanceRegisterInformation', {
    body: {
      provider: given.provider,
      domain: given.domain,
      service: given.service,
      attestationData,
      csr: await certificateRequest(given, privateKey),
      x509CertSignerKeyId: given['signer-key-id'] || undefined,
    },
  })
  return { certificate: certificateIn(x509Certificate), authorities: x509CertificateSigner }
}

/** Gets a certificate for a registered key. */
async function refresh(given: Given, privateKey: string, machine: Machine): Promise<Issued> {
  const { domain, service, zts: url, cacert: caFile, 'service-cert': certificateFile } = given
  const identity =
    certificateFile === '' ? signedToken(given, privateKey) : await certificateOf(certificateFile, given['private-key'])
  await using zts = openZts({ url, caFile, identity }, machine)
  const { certificate, caCertBundle } = await zts.call('postInstanceRefreshRequest', {
    domain,
    service,
    body: {
      csr: await certificateRequest(given, privateKey),
      keyId: given['key-version'] || undefined,
      expiryTime: given['expiry-time'] > 0 ? given['expiry-time'] : undefined,
      x509CertSignerKeyId: given['signer-key-id'] || undefined,
    },
  })
  return { certificate: certificateIn(certificate), authorities: caCertBundle }
}

/** A service that signs its own tokens. */
function signedToken(given: Given, privateKey: string) {
  const { domain, service, 'key-version': keyId, hdr: header } = given
  if (keyId === '') throw new ToolFailure('missing key-version for the specified private key')
  return keyPairIdentity({ domain, service, privateKey, keyId, header, tokenLifeSeconds: TOKEN_LIFE_SECONDS })
}

function certificateIn(pem: string | undefined): string {
  if (pem === undefined || pem === '') throw new ToolFailure('the answer of ZTS has no certificate')
  return pem
}

function certificateRequest(given: Given, privateKey: string): Promise<string> {
  const { domain, service, provider, instance } = given
  return serviceCertificateRequest({
    ...requestOptions(given),
    domain,
    service,
    privateKey,
    ...(instance !== '' && { instance: { provider: provider || NO_PROVIDER, id: instance } }),
  })
}

/** The private key in a file, which is made when it is not there. */
async function keyInPlace(file: string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new ToolFailure(`unable to read private key ${file}: ${error.message}`)
  })
  if (known !== undefined) return known
  const made = (await newPrivateKey('rsa')).export({ type: 'pkcs1', format: 'pem' }) as string
  await writeOutput(file, made, PRIVATE)
  return made
}

async function saveRegisterToken(given: Given, machine: Machine): Promise<void> {
  const token = await registerToken(given, machine)
  const file = given['attestation-data']
  if (file === '') machine.print(`${token}\n`)
  else await writeOutput(file, token, READ_ONLY)
}

async function registerToken(given: Given, machine: Machine): Promise<string> {
  const { zts: url, cacert: caFile, provider, domain, service, instance: instanceId } = given
  if (!(url && provider && domain && service && instanceId && namesCaller(given))) throw missing()
  await using zts = openZts({ url, caFile, identity: await callerOf(given) }, machine)
  const { attestationData } = await zts.call('getInstanceRegisterToken', { provider, domain, service, instanceId })
  return attestationData
}

/** Instances have nothing to show but what their provider knows them by, or the certificate that they had before. */
async function anonymous(given: Given, machine: Machine): Promise<ZtsClient> {
  const { zts: url, cacert: caFile, 'service-cert': certificateFile } = given
  const identity = certificateFile === '' ? undefined : await certificateOf(certificateFile, given['private-key'])
  return openZts({ url, caFile, identity }, machine)
}
