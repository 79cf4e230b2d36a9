import type { DomainData } from '#zms/api/signed-domains.ts'
import { CommandRefusal } from './failure.ts'
import type { Session } from './session.ts'

/** All that a domain has, as the server signs it in one piece. */
export async function signedContents(session: Session, domain: string): Promise<DomainData> {
  const signed = await session.call('getJWSDomain', { name: domain, signatureP1363Format: false })
  if (signed === undefined) throw new CommandRefusal(`the server has sent nothing about ${domain}`)
  try {
    return JSON.parse(Buffer.from(signed.payload, 'base64url').toString('utf8')) as DomainData
  } catch {
    throw new CommandRefusal(`what the server has sent about ${domain} is no domain`)
  }
}
