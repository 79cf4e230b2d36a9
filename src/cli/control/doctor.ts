import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { messageOf } from '#core/error/message-of.ts'
import { CommandFailure, reasonOf } from '../command-failure.ts'
import type { Context } from './contexts.ts'
import { isAbsence } from './exit-status.ts'
import { inspectServer, type ServerInspection } from './server-inspection.ts'
import type { Session, SessionOptions } from './session.ts'

/** What one check found. */
export interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly found: string
  /** What to do, where something is wrong. */
  readonly advice?: string
}

/** Options of `athenz doctor`. */
export interface DoctorOptions extends SessionOptions {
  readonly root?: string
}

const DAY_MILLIS = 86_400_000
/** There should be time left to renew a certificate in peace. */
const LEAST_DAYS_LEFT = 7
/** Tokens and certificates are refused when clocks differ by minutes; who is off by more than this is on the way there. */
const CLOCK_DIFFERENCE_MILLIS = 30_000

/** Carries out all checks that the context and the options allow, one after the other; `begin` is told of each group. */
export async function examine(
  session: Session,
  { root }: DoctorOptions,
  begin: (what: string) => void,
): Promise<Finding[]> {
  const { zms, zts } = session.context
  const findings = await identityFindings(session.context)
  const check = async (what: string, found: () => Promise<Finding[]>) => {
    begin(what)
    findings.push(...(await found()))
  }
  if (zms !== undefined) await check('ZMS', () => serverFindings('ZMS', zms, session.context))
  if (zts !== undefined) await check('ZTS', () => serverFindings('ZTS', zts, session.context))
  if (zms !== undefined) await check('who you are to ZMS', async () => [await callerFinding(session)])
  if (zms !== undefined && zts !== undefined) {
    await check('how ZTS and ZMS get on', async () => [await registrationFinding(session), await syncFinding(session)])
  }
  if (root !== undefined) {
    const { installationFindings } = await import('./installation-check.ts')
    await check(`the installation in ${root}`, () => installationFindings(root))
  }
  return findings
}

async function identityFindings({ certificate: file, key: keyFile }: Context): Promise<Finding[]> {
  if (file === undefined || keyFile === undefined) return []
  const check = 'your certificate'
  try {
    const certificate = new X509Certificate(await readFile(file, 'utf8'))
    const belongs = certificate.checkPrivateKey(createPrivateKey(await readFile(keyFile, 'utf8')))
    return [
      belongs
        ? lifeFinding(check, certificate, 'get a new one, e.g. by athenz sia or zts-svccert')
        : wrong(check, `${keyFile} is not the key of ${file}`, 'name the key that the certificate was made for'),
      await keyModeFinding('your private key', keyFile),
    ]
  } catch (error) {
    return [wrong(check, reasonOf(error), `see that ${file} and ${keyFile} are PEM files which you may read`)]
  }
}

/** Whether only its owner may read a private key. */
export async function keyModeFinding(check: string, file: string): Promise<Finding> {
  const mode = (await stat(file)).mode & 0o777
  const shown = mode.toString(8).padStart(4, '0')
  if ((mode & 0o077) === 0) return right(check, `${file} is for its owner alone (${shown})`)
  return wrong(check, `${file} may be read by others (${shown})`, `chmod 600 ${file}`)
}

/** How long a certificate is valid. */
export function lifeFinding(check: string, certificate: X509Certificate, renewal: string): Finding {
  const now = Date.now()
  const begins = certificate.validFromDate.getTime()
  const ends = certificate.validToDate
  const days = (ends.getTime() - now) / DAY_MILLIS
  if (begins > now) return wrong(check, `not valid before ${certificate.validFromDate.toISOString()}`, 'set the clock')
  const found =
    days < 0 ? `expired on ${ends.toISOString()}` : `valid until ${ends.toISOString()}, ${days.toFixed(1)} days`
  return days < LEAST_DAYS_LEFT && isOld(certificate, now) ? wrong(check, found, renewal) : right(check, found)
}

/** Certificates of a short life are renewed when a third of it is left: only then it is late. */
function isOld({ validFromDate, validToDate }: X509Certificate, now: number): boolean {
  const life = validToDate.getTime() - validFromDate.getTime()
  return validToDate.getTime() - now < life / 3
}

async function serverFindings(title: string, url: string, { ca }: Context): Promise<Finding[]> {
  const authorities = await authoritiesIn(ca)
  if ('check' in authorities) return [authorities]
  const inspection = await inspectServer(url, authorities.ca)
  if ('unreachable' in inspection) {
    const advice = `see that ${title} runs, that its port is open from here and that the URL is right: ${url}`
    return [wrong(`${title} answers`, inspection.unreachable, advice)]
  }
  const clock = clockFinding(title, inspection.clockDifferenceMillis)
  return [statusFinding(title, url, inspection), trustFinding(title, inspection), clock]
}

type Reached = Exclude<ServerInspection, { readonly unreachable: string }>

function statusFinding(title: string, url: string, { status }: Reached): Finding {
  const check = `${title} answers`
  if (status === 200) return right(check, url)
  return wrong(check, `status ${status} from ${url}/status`, `see the log of ${title} for what it waits for`)
}

function trustFinding(title: string, { certificate, distrust }: Reached): Finding {
  const check = `${title} is trusted`
  if (certificate === undefined) return wrong(check, 'it shows no certificate', 'use an https URL')
  if (distrust !== undefined) {
    const advice =
      'name the authority that issued its certificate (--ca-file, or ca of the context), and the host name in it'
    return wrong(check, `${distrust}; its certificate names ${certificate.subjectAltName ?? 'no host'}`, advice)
  }
  return lifeFinding(check, certificate, `renew the certificate of ${title}`)
}

/** By how many milliseconds the clock of something else is ahead; undefined when it does not tell. */
export function clockFinding(title: string, difference: number | undefined): Finding {
  const check = `clock of ${title}`
  if (difference === undefined) return right(check, 'it does not tell the time')
  // Adding 0 takes the sign from a difference that is rounded away.
  const found = `${Math.round(difference / 1000) + 0} s from the one here`
  if (Math.abs(difference) <= CLOCK_DIFFERENCE_MILLIS) return right(check, found)
  return wrong(check, found, 'let both machines take their time from NTP (timedatectl set-ntp true)')
}

async function authoritiesIn(file: string | undefined): Promise<{ readonly ca: string | undefined } | Finding> {
  if (file === undefined) return { ca: undefined }
  try {
    return { ca: await readFile(file, 'latin1') }
  } catch (error) {
    return wrong('authorities', `${file}: ${reasonOf(error)}`, 'name a file with the certificates of the authorities')
  }
}

async function callerFinding(session: Session): Promise<Finding> {
  const check = 'ZMS knows you'
  try {
    const name = (await session.identity())?.name
    await (await session.zms()).call('getDomainList', { limit: 1 })
    return right(check, name ?? 'by your token')
  } catch (error) {
    const advice =
      'show a certificate of an authority that ZMS trusts, or a token that holds (--cert-file, --token-file)'
    return wrong(check, messageOf(error), advice)
  }
}

/** ZTS signs as a service of ZMS, and reads its domains as one. */
async function registrationFinding(session: Session): Promise<Finding> {
  const check = 'ZTS is registered'
  try {
    const zms = await session.zms()
    const { publicKeys = [] } = await zms.call('getServiceIdentity', { domain: 'sys.auth', service: 'zts' })
    if (publicKeys.length > 0) return right(check, `keys ${publicKeys.map(({ id }) => id).join(', ')}`)
    return wrong(check, 'the service sys.auth.zts has no public keys', 'athenz service add-key sys.auth zts 0 FILE')
  } catch (error) {
    const advice = isAbsence(error)
      ? 'athenz service create sys.auth zts --key 0=FILE, with the public key of ZTS'
      : 'see what is wrong with ZMS above'
    return wrong(check, messageOf(error), advice)
  }
}

async function syncFinding(session: Session): Promise<Finding> {
  const check = 'ZTS has the domains of ZMS'
  try {
    const zts = await session.zts()
    const signed = await zts.getSignedPolicies('sys.auth')
    return right(check, `sys.auth of ${signed?.policies.signedPolicyData.modified ?? 'some time'}`)
  } catch (error) {
    return wrong(check, messageOf(error), 'see the log of ZTS: it must reach ZMS and be let in by its certificate')
  }
}

/** What is as it should be. */
export const right = (check: string, found: string): Finding => ({ check, ok: true, found })
/** What is not, and what to do. */
export const wrong = (check: string, found: string, advice: string): Finding => ({ check, ok: false, found, advice })

/** A finding of something that fails with a reason. */
export const failed = (check: string, error: unknown, advice: string): Finding =>
  wrong(check, error instanceof CommandFailure ? error.message : reasonOf(error), advice)
