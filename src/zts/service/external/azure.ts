import { LRUCache } from 'lru-cache'
import { textMember } from '#core/http/json-client.ts'
import { CLIENT_ASSERTION_TYPE } from '../access-token-request.ts'
import type { ZtsDependencies } from '../dependencies.ts'
import { CloudClient, objectMember } from './cloud-client.ts'
import {
  type CloudCredentials,
  type CloudProvider,
  type CloudQuestion,
  CloudRefusal,
  checkedText,
  scopesOf,
} from './cloud-provider.ts'

/** What credentials of Azure need. */
export type AzureDependencies = Pick<ZtsDependencies, 'authorization' | 'config' | 'now' | 'log'>

/** Where Azure is asked. */
export interface AzureAddresses {
  readonly login: string
  readonly management: string
}

const MICROSOFT: AzureAddresses = {
  login: 'https://login.microsoftonline.com',
  management: 'https://management.azure.com',
}

const MANAGEMENT_SCOPE = 'https://management.azure.com/.default'
const AUDIENCE = 'api://AzureADTokenExchange'
/** The role as which this server itself is known to Azure. */
const SYSTEM_ROLE = 'athenz.azure:role.azure-client'
const API_VERSION = '2023-01-31'
/** The own token is not used in the last minutes of its life. */
const MARGIN_MILLIS = 300_000
const SECOND_MILLIS = 1000
const SYSTEM_TOKENS_MAX = 1000

/** Ids of Azure: UUIDs, or names of tenants. */
const ID = /^[a-zA-Z0-9][a-zA-Z0-9.-]*$/
/** Names of resources do not begin with a period, so that none of them leads to another address. */
const RESOURCE = /^[\w(-][\w().-]*$/

/** The account of a domain at Azure, checked. */
interface Account {
  readonly tenant: string
  /** Application as which this server is known in the tenant. */
  readonly systemClient: string
  readonly subscription: string | undefined
}

/** A token of Azure. */
interface AzureToken {
  readonly text: string
  /** When it was asked for, in epoch milliseconds, like the next. */
  readonly asked: number
  readonly expiration: number
}

/**
 * Tokens of managed identities at Azure: an id token of this server about a role is the assertion of the identity which
 * trusts that role (workload identity federation).
 */
export class AzureProvider implements CloudProvider {
  readonly #deps: AzureDependencies
  readonly #addresses: AzureAddresses
  readonly #client: CloudClient
  /** Tokens of this server by tenant and application. */
  readonly #systemTokens = new LRUCache<string, AzureToken>({ max: SYSTEM_TOKENS_MAX })

  constructor(deps: AzureDependencies, addresses: AzureAddresses = MICROSOFT) {
    const { azureMgmtClientConnectTimeoutMs, azureMgmtClientReadTimeoutMs } = deps.config.zts
    this.#deps = deps
    this.#addresses = addresses
    const times = {
      connectTimeoutMillis: azureMgmtClientConnectTimeoutMs,
      readTimeoutMillis: azureMgmtClientReadTimeoutMs,
    }
    this.#client = new CloudClient('azure', times, deps.log)
  }

  async credentials(question: CloudQuestion): Promise<CloudCredentials> {
    const { domain, attributes, roles } = question
    const account: Account = {
      tenant: checkedText(`azure tenant of domain ${domain.name}`, domain.settings.azureTenant, ID),
      systemClient: checkedText(`azure client of domain ${domain.name}`, domain.settings.azureClient, ID),
      subscription: domain.settings.azureSubscription,
    }
    const [role, ...others] = roles
    if (role === undefined || others.length > 0) throw new CloudRefusal('exactly one role must be requested')
    const scopes = scopesOf(attributes.get('azureTokenScope'), MANAGEMENT_SCOPE)
    for (const scope of scopes) this.#checkRight(question, scope)
    const token = await this.#tokenFor(question, account, role, scopes.join(' '))
    return {
      attributes: {
        accessToken: token.text,
        azureTenant: account.tenant,
        ...(account.subscription !== undefined && { azureSubscription: account.subscription }),
      },
      expiration: token.expiration,
    }
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  #checkRight({ principal, domain }: CloudQuestion, scope: string): void {
    const resource = `${domain.name}:${scope}`
    if (this.#deps.authorization.isAllowed(principal, 'azure.scope_access', resource)) return
    throw new CloudRefusal(`Principal not authorized for azure.scope_access on ${resource}`)
  }

  async #tokenFor(question: CloudQuestion, account: Account, role: string, scope: string): Promise<AzureToken> {
    const azureClientId = question.attributes.get('azureClientId')
    if (azureClientId) {
      return this.#token(question, account, role, checkedText('azureClientId', azureClientId, ID), scope)
    }
    if (role === SYSTEM_ROLE) {
      // There is only one token for that role, and who is not let at its scope must not get it by another name.
      if (scope !== MANAGEMENT_SCOPE)
        throw new CloudRefusal(`${SYSTEM_ROLE} has no other scope than ${MANAGEMENT_SCOPE}`)
      return this.#systemToken(question, account)
    }
    return this.#token(question, account, role, await this.#clientOf(question, account), scope)
  }

  /** Client id of the managed identity that the request names. */
  async #clientOf(question: CloudQuestion, account: Account): Promise<string> {
    const { attributes } = question
    const group = checkedText('azureResourceGroup', attributes.get('azureResourceGroup'), RESOURCE)
    const name = checkedText('azureClientName', attributes.get('azureClientName'), RESOURCE)
    const subscription = checkedText('azure subscription of the domain', account.subscription, ID)
    const system = await this.#systemToken(question, account)
    const identities = 'providers/Microsoft.ManagedIdentity/userAssignedIdentities'
    const path = `subscriptions/${subscription}/resourceGroups/${group}/${identities}/${name}`
    const answer = await this.#client.ask(`${this.#addresses.management}/${path}?api-version=${API_VERSION}`, {
      headers: { authorization: `Bearer ${system.text}` },
    })
    const clientId = textMember(objectMember(answer.value, 'properties'), 'clientId')
    if (answer.status !== 200 || clientId === undefined) throw this.#client.refusal('managed identity', answer)
    return checkedText('client id of the managed identity', clientId, ID)
  }

  /** The token as which this server itself may look up managed identities. */
  async #systemToken(question: CloudQuestion, account: Account): Promise<AzureToken> {
    const key = `${account.tenant} ${account.systemClient}`
    const known = this.#systemTokens.get(key)
    const now = this.#deps.now()
    // One from the future is from before the clock was set back: who knows how long it is still good.
    if (known !== undefined && known.asked <= now && now < known.expiration - MARGIN_MILLIS) return known
    const token = await this.#token(question, account, SYSTEM_ROLE, account.systemClient, MANAGEMENT_SCOPE)
    this.#systemTokens.set(key, token)
    return token
  }

  async #token(
    { signIdToken }: CloudQuestion,
    { tenant }: Account,
    role: string,
    clientId: string,
    scope: string,
  ): Promise<AzureToken> {
    const assertion = await signIdToken({ subject: role, audience: AUDIENCE, keyType: 'RSA' })
    const asked = this.#deps.now()
    const answer = await this.#client.ask(`${this.#addresses.login}/${tenant}/oauth2/v2.0/token`, {
      body: {
        form: {
          scope,
          client_assertion_type: CLIENT_ASSERTION_TYPE,
          client_assertion: assertion,
          client_id: clientId,
          grant_type: 'client_credentials',
        },
      },
    })
    const text = textMember(answer.value, 'access_token')
    const seconds = objectMember(answer.value, 'expires_in')
    if (answer.status !== 200 || text === undefined || typeof seconds !== 'number' || !(seconds > 0)) {
      throw this.#client.refusal('access token', answer)
    }
    return { text, asked, expiration: asked + seconds * SECOND_MILLIS }
  }
}
