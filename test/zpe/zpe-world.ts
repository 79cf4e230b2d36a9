import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { publicKeyPem } from '#core/crypto/keys.ts'
import type { Signer } from '#core/crypto/signing.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { canonicalShapes, canonicalText } from '#core/token/canonical-text.ts'
import { flattenedJws } from '#core/token/flattened-jws.ts'
import { signJwt } from '#core/token/json-web-token.ts'
import { type RoleTokenClaims, signRoleToken } from '#core/token/sign-role-token.ts'
import { Zpe } from '#zpe/zpe.ts'
import type { ZpeOptions } from '#zpe/zpe-options.ts'
import { newSigner } from '../core/authority/support.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** The present in these tests, in epoch milliseconds. */
export const NOW_MILLIS = Date.UTC(2026, 5, 1)
export const NOW_SECONDS = NOW_MILLIS / 1000
const DAY_MILLIS = 86_400_000

/** `EFFECT ROLE ACTION RESOURCE`, role and resource local or full; the rest of the line is the resource. */
export const assertionOf = (domain: string) => (rule: string) => {
  const [effect = '', role = '', action = '', ...resource] = rule.split(' ')
  const full = (text: string, infix: string) => (text.includes(':') ? text : `${domain}:${infix}${text}`)
  return { action, effect, resource: full(resource.join(' '), ''), role: full(role, 'role.') }
}

/** What a policy file says beside its assertions. */
export interface PolicyFile {
  /** See {@link assertionOf}. */
  readonly rules?: readonly string[]
  readonly policies?: unknown
  /** Epoch milliseconds. */
  readonly modified?: number
  readonly expires?: number
  readonly signer?: Signer
  readonly zmsSigner?: Signer
}

/** Keys of ZTS and ZMS, and files and tokens signed with them. */
export class ZpeWorld {
  readonly root = temporaryFolder()
  readonly policyFolder = join(this.root, 'var', 'zpe')
  readonly athenzConf = join(this.root, 'conf', 'athenz', 'athenz.conf')
  readonly zts = newSigner('zts.0')
  readonly zms = newSigner('0')
  /** Moved by tests. */
  readonly clock = { millis: NOW_MILLIS }
  readonly lines: string[] = []

  constructor() {
    mkdirSync(this.policyFolder, { recursive: true })
    mkdirSync(join(this.root, 'conf', 'athenz'), { recursive: true })
    this.writeKeys()
  }

  /** Writes athenz.conf. */
  writeKeys(zts: readonly Signer[] = [this.zts], zms: readonly Signer[] = [this.zms]): void {
    const list = (signers: readonly Signer[]) =>
      signers.map(({ keyId, publicKey }) => ({ id: keyId, key: encodeYBase64(publicKeyPem(publicKey)) }))
    this.#write(this.athenzConf, JSON.stringify({ zmsPublicKeys: list(zms), ztsPublicKeys: list(zts) }))
  }

  /** The policies of a domain as a file has them: signed data with the parts around it. */
  async signedFile(domain: string, file: PolicyFile): Promise<string> {
    const { signer = this.zts } = file
    const data = await this.#data(domain, file)
    const text = canonicalText(data, canonicalShapes.signedPolicyData)
    const signature = encodeYBase64(await signer.sign(text))
    return `{"signedPolicyData":${text},"keyId":"${signer.keyId}","signature":"${signature}"}`
  }

  /** The same as a web signature. */
  async jwsFile(domain: string, file: PolicyFile, encoding: 'der' | 'p1363' = 'p1363'): Promise<string> {
    const { signer = this.zts } = file
    return flattenedJws(signer, JSON.stringify(await this.#data(domain, file)), encoding)
  }

  async #data(domain: string, { rules = [], policies, modified, expires, zmsSigner }: PolicyFile) {
    const assertions = rules.map(assertionOf(domain))
    const policyData = {
      domain,
      policies: policies ?? [{ assertions, modified: time(0), name: `${domain}:policy.all` }],
    }
    const zmsSignature =
      zmsSigner && encodeYBase64(await zmsSigner.sign(canonicalText(policyData, canonicalShapes.contents)))
    return {
      expires: time(expires ?? this.clock.millis + 7 * DAY_MILLIS),
      modified: time(modified ?? this.clock.millis),
      policyData,
      ...(zmsSigner && { zmsKeyId: zmsSigner.keyId, zmsSignature }),
    }
  }

  /** Puts a text into the policy file of a domain in one step, as an updater does. */
  put(name: string, text: string): void {
    this.#write(join(this.policyFolder, name), text)
  }

  async putPolicies(domain: string, file: PolicyFile): Promise<void> {
    this.put(`${domain}.pol`, await this.signedFile(domain, file))
  }

  async roleToken(claims: Partial<RoleTokenClaims> = {}, signer = this.zts): Promise<string> {
    const issued = Math.floor(this.clock.millis / 1000)
    const given = { domain: 'sports', roles: ['readers'], completeRoleSet: false, principal: 'user.joe' }
    return signRoleToken({ ...given, issueTimeSeconds: issued, expiryTimeSeconds: issued + 3600, ...claims }, signer)
  }

  async accessToken(claims: object = {}, signer = this.zts, typ: string | undefined = 'at+jwt'): Promise<string> {
    const issued = Math.floor(this.clock.millis / 1000)
    const given = { aud: 'sports', scp: ['readers'], sub: 'user.joe', client_id: 'user.joe', iat: issued }
    return signJwt(signer, { ...given, exp: issued + 3600, ...claims }, typ === undefined ? {} : { typ })
  }

  /** The engine over these files; it looks at them when it is told to, and ends with the test. */
  async open(options: ZpeOptions = {}): Promise<Zpe> {
    const zpe = await Zpe.open({
      root: this.root,
      jwkFile: join(this.root, 'jwk.conf'),
      clock: () => this.clock.millis,
      log: (level, message) => this.lines.push(`${level} ${message}`),
      ...options,
    })
    after(() => zpe.close())
    return zpe
  }

  #write(file: string, text: string): void {
    writeFileSync(`${file}.tmp`, text)
    renameSync(`${file}.tmp`, file)
  }
}

const time = (millis: number): string => new Date(millis).toISOString()
