import { createHash, createHmac } from 'node:crypto'
import { type FakeService, type SeenRequest, startFakeService } from './fake-service.ts'

/** Who the server is for AWS. */
export const STS_ACCESS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
/** Region that requests are signed for. */
export const STS_REGION = 'eu-west-3'

/** What the fake service answers to a question that is signed as it should be. */
export type StsAnswer = (fields: URLSearchParams, count: number) => { status: number; xml: string } | undefined

/** A Security Token Service on this machine. It checks signatures as AWS does, and notes what it is asked. */
export interface FakeSts extends Pick<FakeService, 'url' | 'close'> {
  readonly asked: readonly Readonly<Record<string, string>>[]
  /** Changes what is answered from now on. */
  reply: StsAnswer
}

/** The XML of granted credentials. */
export const grantedXml = (name: string, expiration: string) => ({
  status: 200,
  xml: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/x/y</Arn><AssumedRoleId>A:y</AssumedRoleId></AssumedRoleUser>
<Credentials><AccessKeyId>key-${name}</AccessKeyId><SecretAccessKey>secret-${name}</SecretAccessKey>
<SessionToken>session-${name}</SessionToken><Expiration>${expiration}</Expiration></Credentials>
</AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>`,
})

/** The XML of an error. */
export const errorXml = (status: number, code: string, message: string) => ({
  status,
  xml: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
})

/** Starts the service; `reply` answers nothing by giving undefined. */
export async function startFakeSts(reply: StsAnswer): Promise<FakeSts> {
  const asked: Record<string, string>[] = []
  const service = await startFakeService((response, request) => {
    const fields = new URLSearchParams(request.body)
    asked.push(Object.fromEntries(fields))
    const problem = signatureProblem(request)
    const answer =
      problem === undefined ? sts.reply(fields, asked.length) : errorXml(403, 'SignatureDoesNotMatch', problem)
    if (answer !== undefined) response.writeHead(answer.status, { 'content-type': 'text/xml' }).end(answer.xml)
  })
  const sts: FakeSts = { url: service.url, close: () => service.close(), asked, reply }
  return sts
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** What is wrong with the signature of a request (AWS Signature Version 4), worked out anew; undefined when nothing is. */
function signatureProblem({ method, target, headers, body }: SeenRequest): string | undefined {
  const authorization =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/sts\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/
  const found = authorization.exec(headers.authorization ?? '')
  if (found === null) return 'no signature'
  const [, accessKeyId = '', day = '', region = '', names = '', signature] = found
  const date = String(headers['x-amz-date'])
  if (accessKeyId !== STS_ACCESS.accessKeyId || region !== STS_REGION || !date.startsWith(day))
    return 'wrong credential'
  const signed = names.split(';')
  if (!signed.includes('host') || !signed.includes('x-amz-date')) return 'too little is signed'
  const [path = '/', query = ''] = target.split('?')
  const lines = signed.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}\n`)
  const canonical = [method, path, query, lines.join(''), names, sha256(body)].join('\n')
  const scope = `${day}/${region}/sts/aws4_request`
  const key = ['sts', 'aws4_request'].reduce(
    (former, text) => hmac(former, text),
    hmac(hmac(`AWS4${STS_ACCESS.secretAccessKey}`, day), region),
  )
  const expected = hmac(key, ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')).toString('hex')
  return expected === signature ? undefined : 'another signature'
}
