import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { ConfigError } from '#core/config/config-error.ts'
import { loadPlugIn, missingMethods } from '#core/config/plug-in.ts'
import { discoverKeySet, httpUrl } from '#core/http/issuer-metadata.ts'
import { JsonClient } from '#core/http/json-client.ts'
import { RemoteKeys } from '#core/http/remote-keys.ts'
import { audiencesOf, type JwtClaims, textClaim } from '#core/token/json-web-token.ts'
import type { ZtsDependencies } from './dependencies.ts'

/**
 * Reads the tokens of one foreign issuer: a plug-in, made with the entry of its issuer. What it is given has been
 * verified.
 */
export interface OAuthProvider {
  /** Lower-case full name of the principal that the token is about; undefined when it is about none of ours. */
  principalName(claims: JwtClaims): string | undefined
  /** Whom the token is for, to be compared with the caller: full name, client id or domain. By default its audience. */
  audience?(claims: JwtClaims): string | undefined
  /** Claims that go on into identity assertion grants; none when absent. */
  readonly copiedClaims?: readonly string[]
}

/** A foreign issuer whose tokens are taken. */
export interface ForeignIssuer {
  readonly keys: Pick<RemoteKeys, 'keyOf'>
  readonly provider: OAuthProvider
}

/** An entry of the configured file. */
export interface ForeignIssuerEntry {
  /** As tokens name it. */
  readonly issuerUri: string
  /** HTTP proxy on the way to the keys. */
  readonly proxyUrl?: string | undefined
  /** Where its keys are; its metadata document says so when absent. */
  readonly jwksUri?: string | undefined
  /** Module of an {@link OAuthProvider}. */
  readonly providerClassName?: string | undefined
}

/** Takes the token at its word: the subject is a principal, the audience whom it is for. */
export const PLAIN_PROVIDER: OAuthProvider = { principalName: (claims) => textClaim(claims, 'sub') }

/** The only audience of a token; undefined when it has several, any of which might pass it on to the others. */
export function onlyAudience(claims: JwtClaims): string | undefined {
  const [audience, ...others] = audiencesOf(claims)
  return others.length === 0 ? audience : undefined
}

/** Foreign issuers by their names, and the connections to them. */
export class ForeignIssuers {
  readonly #issuers: ReadonlyMap<string, ForeignIssuer>
  readonly #clients: readonly JsonClient[]

  constructor(issuers: ReadonlyMap<string, ForeignIssuer> = new Map(), clients: readonly JsonClient[] = []) {
    this.#issuers = issuers
    this.#clients = clients
  }

  /** The issuer that tokens call so, in exactly these letters. */
  get(issuer: string): ForeignIssuer | undefined {
    return this.#issuers.get(issuer)
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()))
  }
}

/** What foreign issuers are made with. */
export type ForeignIssuersDependencies = Pick<ZtsDependencies, 'config' | 'issuers' | 'now' | 'log'>

const PROPERTY = 'athenz.zts.oauth_provider_config_file'

const optionalText = z
  .string()
  .nullish()
  .transform((text) => text || undefined)
const optionalUrl = optionalText.refine(
  (text) => text === undefined || httpUrl(text) !== undefined,
  'not an http or https URL',
)
const File = z.array(
  z.object({
    issuerUri: z.string().min(1),
    proxyUrl: optionalUrl,
    jwksUri: optionalUrl,
    providerClassName: optionalText,
  }),
)

/**
 * The foreign issuers of the configured file, a list of {@link ForeignIssuerEntry}. The only addresses that are ever
 * asked for keys are those in the file, and those that the metadata document of an issuer names. Throws a ConfigError when
 * the file is not what it should be, names an issuer twice or this server itself, or a plug-in cannot be loaded.
 */
export async function loadForeignIssuers(deps: ForeignIssuersDependencies): Promise<ForeignIssuers> {
  const file = deps.config.zts.oauthProviderConfigFile
  if (file === undefined) return new ForeignIssuers()
  const issuers = new Map<string, ForeignIssuer>()
  const clients: JsonClient[] = []
  for (const entry of await readEntries(file)) {
    const { issuerUri } = entry
    if (issuers.has(issuerUri)) throw new ConfigError([`${PROPERTY}: ${file}: ${issuerUri} is there twice`])
    if (deps.issuers.all.has(issuerUri)) {
      throw new ConfigError([`${PROPERTY}: ${file}: ${issuerUri} is this server itself, which needs no entry`])
    }
    if (!(entry.jwksUri ?? issuerUri).startsWith('https:')) {
      deps.log('warn', `keys of issuer ${issuerUri} come without TLS: who is on the way can put his own in their place`)
    }
    const client = clientFor(entry, deps)
    clients.push(client)
    issuers.set(issuerUri, { keys: keysOf(entry, client, deps), provider: await providerOf(entry, deps) })
  }
  return new ForeignIssuers(issuers, clients)
}

async function readEntries(file: string): Promise<ForeignIssuerEntry[]> {
  try {
    return File.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message
    throw new ConfigError([`${PROPERTY}: ${file}: ${reason}`])
  }
}

function clientFor({ proxyUrl }: ForeignIssuerEntry, { config }: ForeignIssuersDependencies): JsonClient {
  const { jwkConnectTimeoutMillis, jwkReadTimeoutMillis } = config.auth
  return new JsonClient({
    connectTimeoutMillis: jwkConnectTimeoutMillis,
    readTimeoutMillis: jwkReadTimeoutMillis,
    proxyUrl,
  })
}

function keysOf(
  { issuerUri, jwksUri }: ForeignIssuerEntry,
  client: JsonClient,
  { now, log }: ForeignIssuersDependencies,
): RemoteKeys {
  const url = jwksUri === undefined ? () => discoverKeySet(issuerUri, client) : new URL(jwksUri)
  return new RemoteKeys({ client, url, now, log: (level, message) => log(level, `issuer ${issuerUri}: ${message}`) })
}

async function providerOf(entry: ForeignIssuerEntry, deps: ForeignIssuersDependencies): Promise<OAuthProvider> {
  const { providerClassName } = entry
  if (providerClassName === undefined) return PLAIN_PROVIDER
  return loadPlugIn<OAuthProvider, [ForeignIssuerEntry]>(
    providerClassName,
    {
      property: `${PROPERTY}: providerClassName of ${entry.issuerUri}`,
      what: 'provider of an OAuth issuer',
      builtIn: new Map(),
      problemsOf: missingMethods('principalName'),
      directory: deps.config.zts.rootDir,
    },
    entry,
  )
}
