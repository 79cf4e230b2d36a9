/** Attributes with which ZTS and providers tell each other about an instance and its certificate. */
export const attributeNames = {
  instanceId: 'instanceId',
  clientIp: 'clientIP',
  hostname: 'hostname',
  principal: 'principal',
  cloud: 'instanceCloud',
  dnsNames: 'sanDNS',
  ipAddresses: 'sanIP',
  uris: 'sanURI',
  certificateHostname: 'certHostname',
  publicKey: 'csrPublicKey',
  issuerName: 'certIssuerDn',
  subjectName: 'certSubjectDn',
  modulusHash: 'certRsaModHash',
  usage: 'certUsage',
  expiryMins: 'certExpiryTime',
  keepsRecord: 'certRefresh',
  organizationalUnit: 'certSubjectOU',
  ssh: 'certSSH',
  privateIp: 'instancePrivateIp',
  sshPrincipals: 'attestedSshCertPrincipals',
} as const

/** An attribute that is there and not empty. */
export function attributeOf(attributes: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(attributes, name) ? attributes[name] || undefined : undefined
}

/** Items of a list with commas between them. */
export const listAttribute = (attributes: Readonly<Record<string, string>>, name: string): string[] =>
  (attributeOf(attributes, name) ?? '').split(',').filter((item) => item !== '')
