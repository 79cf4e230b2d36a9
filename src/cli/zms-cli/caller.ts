import { join } from 'node:path'
import { tokenIdentity } from '#client/identity.ts'
import { askPassword } from '../ask-password.ts'
import { certificateOf } from '../tools/certificate-caller.ts'
import { type DefaultConfig, readDefaultConfig } from '../tools/default-config.ts'
import { failureText, type Machine, readGivenFile, ToolFailure } from '../tools/tool.ts'
import { userToken } from '../user-token.ts'
import type { Flags } from './flags.ts'
import { type Caller, Session, type ZmsLocation } from './session.ts'

const ZMS_URL = 'https://localhost:4443/zms/v1'

/**
 * Finds out where ZMS is and who calls it: by certificate, by a token in a file, otherwise by the token of the user, for
 * which the password is asked on the terminal.
 * @throws ToolFailure when there is no caller
 */
export async function openSession(flags: Flags, machine: Machine): Promise<Session> {
  const config = await readDefaultConfig(machine.home)
  const where = locationOf(flags, config, machine)
  const caller = await callerOf(flags, where, config, machine)
  return new Session(flags, where, caller, (line) => machine.print(`${line}\n`))
}

function locationOf(flags: Flags, config: DefaultConfig, { env }: Machine): ZmsLocation {
  const socksProxy = flags.socksProxy || env['SOCKS5_PROXY']
  return {
    url: flags.url || env['ZMS'] || config.zms || ZMS_URL,
    // A person who waits repeats a command by hand.
    retries: 0,
    ...(flags.trustsAnyServer && { trustAnyServer: true }),
    ...(flags.caFile !== '' && { caFile: flags.caFile }),
    ...(socksProxy && { proxyUrl: `socks5://${socksProxy}` }),
  }
}

async function callerOf(flags: Flags, where: ZmsLocation, config: DefaultConfig, machine: Machine): Promise<Caller> {
  const { env, home } = machine
  if (flags.debug || env['ZMS_DEBUG'] === 'true') {
    throw new ToolFailure(
      'debug tokens have no signature, and no server should take them: use a certificate or a token',
    )
  }
  const user = flags.identity || `${flags.userDomain}.${env['USER'] ?? ''}`
  const name = user.includes('.') ? user : `${flags.userDomain}.${user}`
  if (flags.tokenFile !== '') {
    const token = (await readGivenFile(flags.tokenFile, 'token')).trim()
    return { name, token, identity: tokenIdentity(token) }
  }
  const keyFile = flags.keyFile || config['svc-key-file']
  const certificateFile = flags.certificateFile || config['svc-cert-file']
  if (keyFile !== undefined && certificateFile !== undefined) {
    return { name, identity: await certificateOf(certificateFile, keyFile) }
  }
  if (keyFile !== undefined || certificateFile !== undefined) {
    throw new ToolFailure('a certificate needs its key, and a key its certificate: give both -cert and -key')
  }
  const token = await userToken({
    identity: name,
    file: join(home, '.ntoken'),
    askPassword: passwordOf,
    zms: where,
  }).catch((error: unknown) => {
    throw new ToolFailure(`Unable to get NToken: ${failureText(error)}`)
  })
  return { name, token, identity: tokenIdentity(token) }
}

/** Asks for the password of a user. */
export const passwordOf = (userName: string): Promise<string> => askPassword(`Enter password for ${userName}: `)
