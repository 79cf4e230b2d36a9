import { type FlagValues, text, toggle } from '../tools/flags.ts'

/** The flags before the command; the help for people is in `help.ts`, in the words of their groups. */
export const FLAGS = {
  a: text('reason of a change, for the audit log of domains that want one'),
  addself: toggle('make the caller an administrator of domains that are created', true),
  b: toggle('print nothing about what was changed'),
  c: text('file with the authorities that vouch for ZMS'),
  cert: text('file with the certificate of the caller (otherwise svc-cert-file in ~/.athenz/config)'),
  d: text('domain in which commands work'),
  debug: toggle('ask for unsigned tokens: refused, since no server should take them'),
  e: toggle('go on with an import after objects that the server refuses', true),
  f: text('file with a principal token of the caller'),
  h: text('domain that has the domains of users', 'home'),
  i: text('who calls, when there is neither certificate nor token (otherwise user.$USER)'),
  k: toggle('trust ZMS whoever it is'),
  key: text('file with the private key of the caller (otherwise svc-key-file in ~/.athenz/config)'),
  o: text('form of output: json, yaml, or manualYaml for people', 'manualYaml'),
  overwrite: toggle('replace what is there already'),
  p: toggle('top level domains need a product id'),
  r: text('resource owner on whose behalf objects are changed'),
  s: text('SOCKS5 proxy, host:port (otherwise $SOCKS5_PROXY)'),
  u: text('domain of users', 'user'),
  v: toggle('show full names'),
  x: toggle('print tokens without the name of their header'),
  z: text('URL of ZMS (otherwise $ZMS, then zms in ~/.athenz/config)'),
}

/** What they say, under names that tell it. */
export interface Flags {
  readonly auditRef: string
  readonly addSelf: boolean
  readonly bulk: boolean
  readonly caFile: string
  readonly certificateFile: string
  readonly domain: string | undefined
  readonly debug: boolean
  readonly skipErrors: boolean
  readonly tokenFile: string
  readonly homeDomain: string
  readonly identity: string
  readonly trustsAnyServer: boolean
  readonly keyFile: string
  /** As given: whether it is known matters only when something is printed. */
  readonly format: string
  readonly overwrite: boolean
  readonly needsProductId: boolean
  readonly resourceOwner: string
  readonly socksProxy: string
  readonly userDomain: string
  readonly verbose: boolean
  readonly bareToken: boolean
  readonly url: string
}

/** The flags that were given. */
export const flagsOf = (given: FlagValues<typeof FLAGS>): Flags => ({
  auditRef: given.a,
  addSelf: given.addself,
  bulk: given.b,
  caFile: given.c,
  certificateFile: given.cert,
  domain: given.d || undefined,
  debug: given.debug,
  skipErrors: given.e,
  tokenFile: given.f,
  homeDomain: given.h,
  identity: given.i,
  trustsAnyServer: given.k,
  keyFile: given.key,
  format: given.o,
  overwrite: given.overwrite,
  needsProductId: given.p,
  resourceOwner: given.r,
  socksProxy: given.s,
  userDomain: given.u,
  verbose: given.v,
  bareToken: given.x,
  url: given.z,
})
