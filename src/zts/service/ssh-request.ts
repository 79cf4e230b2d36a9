import { badRequest } from '#core/error/service-error.ts'
import type { SSHCertRequest } from '../api/ssh-certificate.ts'
import type { FurtherSshRequest } from '../cert/ssh-signer.ts'

/** What an SSH certificate is asked for, in whatever form the request came. */
export interface SshRequest {
  /** Undefined when the request does not say. */
  readonly certType: 'user' | 'host' | undefined
  readonly principals: readonly string[]
  /** In the one-line form of OpenSSH. */
  readonly publicKey: string
  readonly sources: readonly string[]
  readonly command: string | undefined
  /** Address that the request says it comes from. */
  readonly origin: string | undefined
  readonly transactionId: string | undefined
  readonly further?: FurtherSshRequest
}

const TRANSACTION_ID = /^[\w.:-]{1,64}$/

/**
 * The SSH certificate that an instance asks for: `sshCertRequest`, or, by old clients, the JSON text `ssh`. Undefined when
 * it asks for none.
 * @throws ServiceError `bad-request` when the request is not in order
 */
export function readSshRequest(body: {
  readonly ssh?: string | undefined
  readonly sshCertRequest?: SSHCertRequest | undefined
}): SshRequest | undefined {
  if (body.sshCertRequest !== undefined) return sshRequestOf(body.sshCertRequest)
  return body.ssh ? ofText(body.ssh) : undefined
}

/** As {@link readSshRequest}, for a request of its own. */
export function sshRequestOf(request: SSHCertRequest): SshRequest {
  if (request.csr) return ofText(request.csr)
  const { certRequestData: data, certRequestMeta: meta } = request
  return {
    certType: certTypeOf(meta.certType),
    principals: data.principals,
    publicKey: data.publicKey ?? '',
    sources: data.sources ?? [],
    command: data.command || undefined,
    origin: meta.origin || undefined,
    transactionId: transactionIdOf(meta.transId),
    ...furtherOf(request),
  }
}

function furtherOf({ certRequestData: data, attestationData }: SSHCertRequest): Pick<SshRequest, 'further'> {
  const { destinations = [], touchPublicKey, caPubKeyAlgo } = data
  if (destinations.length === 0 && !touchPublicKey && !caPubKeyAlgo && !attestationData) return {}
  return {
    further: {
      destinations,
      ...(touchPublicKey && { touchPublicKey }),
      ...(caPubKeyAlgo && { caPubKeyAlgo }),
      ...(attestationData && { attestationData }),
    },
  }
}

function ofText(text: string): SshRequest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw badRequest('the SSH certificate request is no JSON')
  }
  if (typeof value !== 'object' || value === null) throw badRequest('the SSH certificate request is no JSON object')
  const members = new Map(Object.entries(value))
  const textOf = (name: string): string | undefined => {
    const member: unknown = members.get(name) ?? undefined
    if (member === undefined || typeof member === 'string') return member
    throw badRequest(`the SSH certificate request has a ${name} that is no text`)
  }
  const listOf = (name: string): string[] => {
    const member: unknown = members.get(name) ?? []
    if (Array.isArray(member) && member.every((item): item is string => typeof item === 'string')) return member
    throw badRequest(`the SSH certificate request has ${name} that are no list of texts`)
  }
  return {
    certType: certTypeOf(textOf('certtype')),
    principals: [...new Set([...listOf('principals'), ...listOf('xprincipals'), ...listOf('xPrincipals')])],
    publicKey: textOf('pubkey') ?? '',
    sources: [],
    command: undefined,
    origin: textOf('reqip') || undefined,
    transactionId: transactionIdOf(textOf('transid')),
  }
}

function certTypeOf(text: string | undefined): 'user' | 'host' | undefined {
  if (text === undefined || text === '') return undefined
  if (text === 'user' || text === 'host') return text
  throw badRequest('the SSH certificate request is neither for a user nor for a host')
}

/** It gets into logs of hosts; what could be taken for more than an id is left out. */
const transactionIdOf = (text: string | undefined): string | undefined =>
  text !== undefined && TRANSACTION_ID.test(text) ? text : undefined
