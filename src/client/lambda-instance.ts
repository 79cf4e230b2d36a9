import { invalidRequest } from './client-error.ts'

/** A function of AWS Lambda that runs a service. */
export interface LambdaInstance {
  readonly domain: string
  readonly service: string
  /** Id of the AWS account. */
  readonly account: string
  /** End of the DNS names of services, e.g. `athenz.cloud`. */
  readonly dnsDomain: string
}

/** Temporary credentials as STS of AWS gives them for an assumed role. */
export interface AssumedRoleCredentials {
  readonly AccessKeyId?: string | undefined
  readonly SecretAccessKey?: string | undefined
  readonly SessionToken?: string | undefined
}

/**
 * What the first certificate of a function is asked for with, beside the names: pass it on to
 * `registerInstance({ ...names, ...lambda })`. `assumeRole` is asked for credentials of the role of AWS that has the name
 * of the service (`arn:aws:iam::ACCOUNT:role/DOMAIN.SERVICE`); with the SDK of AWS it is one call of STS.
 */
export async function lambdaInstance(
  { domain, service, account, dnsDomain }: LambdaInstance,
  assumeRole: (roleArn: string, sessionName: string) => Promise<AssumedRoleCredentials | undefined>,
): Promise<{ instanceId: string; dnsNames: string[]; attestationData: string }> {
  const role = `${domain}.${service}`
  const credentials = await assumeRole(`arn:aws:iam::${account}:role/${role}`, role)
  const { AccessKeyId: access, SecretAccessKey: secret, SessionToken: token } = credentials ?? {}
  if (access === undefined || secret === undefined || token === undefined) {
    throw invalidRequest(`AWS gave no credentials for the role ${role}`)
  }
  const instanceId = `lambda-${account}-${service}`
  return {
    instanceId,
    dnsNames: [`${instanceId}.instanceid.athenz.${dnsDomain}`],
    attestationData: JSON.stringify({ role, access, secret, token }),
  }
}
