import { type JsonAnswer, textMember } from '#core/http/json-client.ts'
import { TOKEN_TYPES } from '../access-token-request.ts'
import type { ZtsDependencies } from '../dependencies.ts'
import { CloudClient } from './cloud-client.ts'
import {
  type CloudCredentials,
  type CloudProvider,
  type CloudQuestion,
  CloudRefusal,
  checkedText,
  scopesOf,
} from './cloud-provider.ts'

/** What credentials of Google need. */
export type GcpDependencies = Pick<ZtsDependencies, 'authorization' | 'config' | 'log'>

/** Where Google is asked. */
export interface GcpAddresses {
  /** Security Token Service. */
  readonly sts: string
  /** IAM Service Account Credentials. */
  readonly iamCredentials: string
}

const GOOGLE: GcpAddresses = {
  sts: 'https://sts.googleapis.com',
  iamCredentials: 'https://iamcredentials.googleapis.com',
}

const CONNECT_TIMEOUT_MILLIS = 5_000
const READ_TIMEOUT_MILLIS = 15_000
const LIFE_SECONDS = 3600
const DEFAULT_SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
const NAME = /^[a-zA-Z0-9-]+$/
const DIGITS = /^\d+$/

/** The project of a domain at Google, checked. */
interface Project {
  readonly id: string
  readonly number: string
}

/**
 * Credentials of service accounts at Google: an id token of this server is exchanged for a token of the federated
 * identity (Workload Identity Federation), in whose name a token of the service account is made.
 */
export class GcpProvider implements CloudProvider {
  readonly #deps: GcpDependencies
  readonly #addresses: GcpAddresses
  readonly #client: CloudClient

  constructor(deps: GcpDependencies, addresses: GcpAddresses = GOOGLE) {
    this.#deps = deps
    this.#addresses = addresses
    const times = { connectTimeoutMillis: CONNECT_TIMEOUT_MILLIS, readTimeoutMillis: READ_TIMEOUT_MILLIS }
    this.#client = new CloudClient('gcp', times, deps.log)
  }

  async credentials(question: CloudQuestion): Promise<CloudCredentials> {
    const { domain, attributes } = question
    const project: Project = {
      id: checkedText(`gcp project id of domain ${domain.name}`, domain.settings.gcpProject, NAME),
      number: checkedText(`gcp project number of domain ${domain.name}`, domain.settings.gcpProjectNumber, DIGITS),
    }
    const account = checkedText('gcpServiceAccount', attributes.get('gcpServiceAccount'), NAME)
    const make = this.#maker(question)
    const federated = await this.#federatedToken(question, project)
    const { id, number } = project
    const address = `${this.#addresses.iamCredentials}/v1/projects/-/serviceAccounts/${account}@${id}.iam.gserviceaccount.com`
    const answer = await this.#client.ask(`${address}:${make.method}`, {
      body: { json: make.body },
      headers: { authorization: `Bearer ${federated}` },
    })
    const made = make.read(answer)
    const shown = { gcpProjectId: id, gcpProjectNumber: number }
    return { ...made, attributes: { ...made.attributes, ...shown } }
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  /** How the token of the service account is made. Throws unless the caller may have one for that. */
  #maker(question: CloudQuestion) {
    const { attributes } = question
    const method = attributes.get('gcpFunctionName') || 'generateAccessToken'
    if (method === 'generateAccessToken') return { method, ...this.#accessTokenMaker(question) }
    if (method === 'generateIdToken') return { method, ...this.#idTokenMaker(question) }
    throw new CloudRefusal('gcpFunctionName is neither generateAccessToken nor generateIdToken')
  }

  #accessTokenMaker(question: CloudQuestion) {
    const { expirySeconds } = question
    const scopes = tokenScopes(question)
    for (const scope of scopes) this.#checkRight(question, 'gcp.scope_access', scope)
    return {
      body: { scope: scopes, lifetime: `${expirySeconds > 0 ? expirySeconds : LIFE_SECONDS}s` },
      read: (answer: JsonAnswer): CloudCredentials => {
        const { status, value } = answer
        const accessToken = textMember(value, 'accessToken')
        const expiration = Date.parse(textMember(value, 'expireTime') ?? '')
        if (status !== 200 || accessToken === undefined) throw this.#client.refusal('access token', answer)
        return { attributes: { accessToken }, ...(!Number.isNaN(expiration) && { expiration }) }
      },
    }
  }

  #idTokenMaker(question: CloudQuestion) {
    const { attributes } = question
    const audience = attributes.get('gcpAudience')
    if (!audience) throw new CloudRefusal('gcpAudience is not specified')
    this.#checkRight(question, 'gcp.audience_access', audience)
    return {
      body: {
        audience,
        includeEmail: isTrue(attributes.get('gcpIncludeEmail')),
        organizationNumberIncluded: isTrue(attributes.get('gcpOrganizationNumberIncluded')),
      },
      read: (answer: JsonAnswer): CloudCredentials => {
        const token = textMember(answer.value, 'token')
        if (answer.status !== 200 || token === undefined) throw this.#client.refusal('id token', answer)
        return { attributes: { token } }
      },
    }
  }

  #checkRight({ principal, domain }: CloudQuestion, action: string, what: string): void {
    if (this.#deps.authorization.isAllowed(principal, action, `${domain.name}:${what}`)) return
    throw new CloudRefusal(`Principal not authorized for ${action} on ${domain.name}:${what}`)
  }

  async #federatedToken(question: CloudQuestion, { number }: Project): Promise<string> {
    const { principal, clientId, groups, attributes, signIdToken } = question
    const { gcpWorkloadPoolName, gcpWorkloadProviderName } = this.#deps.config.zts
    const pool = checkedText('gcpWorkloadPoolName', attributes.get('gcpWorkloadPoolName') || gcpWorkloadPoolName, NAME)
    const provider = checkedText(
      'gcpWorkloadProviderName',
      attributes.get('gcpWorkloadProviderName') || gcpWorkloadProviderName,
      NAME,
    )
    const subjectToken = await signIdToken({ subject: principal.fullName, audience: clientId, groups })
    const pools = `//iam.googleapis.com/projects/${number}/locations/global/workloadIdentityPools`
    const answer = await this.#client.ask(`${this.#addresses.sts}/v1/token`, {
      body: {
        json: {
          grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
          audience: `${pools}/${pool}/providers/${provider}`,
          scope: tokenScopes(question).join(' '),
          requestedTokenType: TOKEN_TYPES.accessToken,
          subjectToken,
          subjectTokenType: TOKEN_TYPES.idToken,
        },
      },
    })
    const token = textMember(answer.value, 'access_token')
    if (answer.status !== 200 || token === undefined) throw this.#client.refusal('federated token', answer)
    return token
  }
}

const tokenScopes = ({ attributes }: CloudQuestion) => scopesOf(attributes.get('gcpTokenScope'), DEFAULT_SCOPE)

const isTrue = (text: string | undefined): boolean => text?.toLowerCase() === 'true'
