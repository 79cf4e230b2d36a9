import { PRINCIPAL_TOKEN_HEADER, tokenIdentity } from '#client/identity.ts'
import { ZmsClient } from '#client/zms-client.ts'
import { passwordOf } from './caller.ts'
import { CommandRefusal } from './failure.ts'
import { plainText, type Result } from './result.ts'
import type { Session } from './session.ts'

/** The token of the caller, or with a service a new one that this service may use for the caller. */
export async function userToken(session: Session, service: string | undefined): Promise<Result> {
  const token = service === undefined ? session.token : await authorizedToken(session, service)
  if (token === undefined) throw new CommandRefusal('a caller with a certificate has no user token')
  return plainText(session.flags.bareToken ? token : `${PRINCIPAL_TOKEN_HEADER}: ${token}`)
}

async function authorizedToken({ identity, where }: Session, service: string): Promise<string> {
  const userName = identity.slice(identity.indexOf('.') + 1)
  const basic = Buffer.from(`${userName}:${await passwordOf(userName)}`).toString('base64')
  const user = tokenIdentity(`Basic ${basic}`, { header: 'Authorization', name: identity })
  await using zms = new ZmsClient({ ...where, identity: user })
  const { token } = await zms.call('getUserToken', { userName, serviceNames: service })
  return token
}
