import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Agent, request as httpsRequest } from 'node:https'
import { after, before, describe, test } from 'node:test'
import * as fc from 'fast-check'
import type { Endpoint, Handler, Reply, RequestContext } from '#core/http/endpoint.ts'
import { requestReader } from '#core/http/request-values.ts'
import type { DomainLookup } from '#core/rbac/domain-view.ts'
import { domainOfQuestion, evaluate } from '#core/rbac/evaluate.ts'
import { accessEndpoints } from '#zms/api/access.ts'
import { accessService } from '#zms/service/access.ts'
import type { Domain } from '#zms/store/model.ts'
import { clientCertificate } from '../../support/client-certificate.ts'
import { type DevServers, startDevServers } from '../../support/dev-servers.ts'
import { propertyRuns } from '../../support/property-runs.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { type Answer, principalOf } from '../service/harness.ts'
import { BEGINNING, fillingWrites, KNOWN, question, SERVICE } from './generators.ts'
import { type ModelAnswer, NaiveZms } from './naive-zms.ts'
import { type Caller, type Request, wireOf } from './requests.ts'
import { modelAnswer, System } from './system.ts'
import { Tally } from './tally.ts'

const WORLDS = 110
const QUESTIONS = 1_000
const HTTP_WORLDS = 8

/** Who asks, of those who may show a certificate. */
const NAMES = ['user.admin', 'user.x', 'user.xy', SERVICE] as const
const person: fc.Arbitrary<Caller> = fc.record({ name: fc.constantFrom(...NAMES) })
/** Anybody: also holders of role tokens and of restricted certificates. */
const anybody: fc.Arbitrary<Caller> = fc.oneof(
  { weight: 12, arbitrary: person },
  fc.record({ name: fc.constantFrom('user.x', 'a.api'), mtlsRestricted: fc.constant(true) }),
  fc.record({
    name: fc.constantFrom('a', 'b'),
    roles: fc.array(fc.constantFrom('a:role.r', 'a:role.rr', 'b:role.rr', 'r', 'gone'), { maxLength: 2 }),
  }),
)
const questionsOf = (caller: fc.Arbitrary<Caller>) =>
  fc.array(
    fc.tuple(question, caller).map(([asked, as]) => ({ ...asked, as })),
    { minLength: QUESTIONS, maxLength: QUESTIONS, size: 'max' },
  )
type Question = Request & { op: 'access' }

/** Shrinking leaves out questions and writes; a world is long enough to look at after a few steps. */
const SHRINKING = { interruptAfterTimeLimit: 120_000 }

describe('the engine, ZMS and the model decide alike', () => {
  test('within the process', async (context) => {
    const system = await System.open()
    const { harness } = system
    const ask = asker(system)
    const tally = new Tally()
    await fc.assert(
      fc.asyncProperty(fillingWrites, questionsOf(anybody), async (writes, questions) => {
        await system.clear()
        const model = new NaiveZms({ now: harness.clock.millis, services: [SERVICE], known: KNOWN })
        for (const write of [...BEGINNING, ...writes]) assert.deepEqual(await system.answer(write), model.answer(write))
        const domains = await harness.store.domains(await harness.store.domainNames())
        for (const asked of questions) {
          const expected = model.answer(asked)
          const text = JSON.stringify(asked)
          assert.deepEqual(await ask(asked), expected, `ZMS: ${text}`)
          const granted = engineAnswer(system, domains, asked)
          if (granted !== undefined) assert.deepEqual({ status: 200, body: { granted } }, expected, `engine: ${text}`)
          tally.add(kindOf(expected))
        }
      }),
      { ...propertyRuns(WORLDS), ...SHRINKING },
    )
    tally.report(context)
    assert.ok(tally.total >= 100_000)
  })

  describe('over HTTP', () => {
    // Not in the hook, with which it would go.
    const dir = temporaryFolder()
    let servers: DevServers
    const agents = new Map<string, Agent>()
    /** Sends a request over a kept connection of its caller. */
    const send = async (asked: Request): Promise<ModelAnswer> => {
      const { method, target, body, headers } = wireOf(asked, 0)
      const text = body === undefined ? undefined : JSON.stringify(body)
      const answer = await exchange(`${servers.summary.zms}${target}`, text, {
        method,
        agent: agents.get(asked.as.name) as Agent,
        headers: { ...headers, ...(text !== undefined && { 'content-type': 'application/json' }) },
      })
      return modelAnswer(asked, answer)
    }

    before(async () => {
      servers = await startDevServers({ dir, zts: false })
      const { summary } = servers
      const ca = await readFile(summary.ca)
      for (const name of NAMES) {
        const { certificate, key } = await clientCertificate(summary, name)
        agents.set(name, new Agent({ keepAlive: true, maxSockets: 2, ca, cert: certificate, key }))
      }
    })
    after(async () => {
      for (const agent of agents.values()) agent.destroy()
      await servers[Symbol.asyncDispose]()
    })

    test('over TLS, on kept connections', async (context) => {
      const tally = new Tally()
      let worlds = 0
      // Names of earlier worlds stay known.
      let known: readonly string[] = []
      await fc.assert(
        fc.asyncProperty(fillingWrites, questionsOf(person), async (writes, questions) => {
          // Every world has domains of its own: not all that is written can be taken back.
          worlds++
          const model = new NaiveZms({ now: Date.now(), services: [SERVICE], known })
          const kept = writes.filter(({ op }) => op !== 'deleteAssertion')
          for (const each of [...BEGINNING, ...kept]) {
            const write = renamed(each, worlds)
            const expected = model.answer(write)
            known = model.known
            assert.deepEqual(await send(write), expected, JSON.stringify(write))
          }
          const asking = questions.map((each) => renamed(each, worlds))
          const answers = await Promise.all(asking.map(send))
          for (const [index, asked] of asking.entries()) {
            const expected = model.answer(asked)
            assert.deepEqual(answers[index], expected, JSON.stringify(asked))
            tally.add(kindOf(expected))
          }
        }),
        { ...propertyRuns(HTTP_WORLDS), ...SHRINKING },
      )
      tally.report(context)
    })
  })
})

/** Asks the services as over HTTP, but with no more between than the reading of the request. */
function asker({ harness }: System): (asked: Question) => Promise<ModelAnswer> {
  const handlers = accessService(harness.deps)
  const invalidObjectMessage = 'Invalid Object'
  const plain = requestReader(accessEndpoints.getAccess, { invalidObjectMessage })
  const ext = requestReader(accessEndpoints.getAccessExt, { invalidObjectMessage })
  const context = { requestId: '', api: 'getaccess', method: 'GET', remoteAddress: '', header: () => undefined }
  return async (asked) => {
    const { as, action, resource } = asked
    const { target } = wireOf(asked, 0)
    const params = { action, ...(!asked.ext && { resource }) }
    const { values, broken } = (asked.ext ? ext : plain)({ params, url: target, headers: {}, body: undefined })
    if (broken) return modelAnswer(asked, refused(broken))
    const { name, roles, mtlsRestricted } = as
    const more = { ...(roles && { roles, domain: name }), ...(mtlsRestricted && { mtlsRestricted }) }
    const handler = (asked.ext ? handlers.getAccessExt : handlers.getAccess) as Handler<Endpoint>
    try {
      const { status, body } = await handler(values as Parameters<typeof handler>[0], {
        ...context,
        principal: principalOf(name, more),
      } satisfies RequestContext)
      return { status, body: JSON.parse(body as string) as unknown }
    } catch (error) {
      return modelAnswer(asked, refused(error))
    }
  }
}

const refused = (error: unknown): Pick<Reply, 'status'> & { body: { code: number; message: string } } => {
  const { status, message } = error as Error & { status: number }
  return { status, body: { code: status, message } }
}

/** What the engine alone decides; undefined where it is not asked, as in a domain that is not there or is disabled. */
function engineAnswer(
  { harness }: System,
  domains: ReadonlyMap<string, Domain>,
  { as, action, resource, trustDomain, principal: checked }: Question,
): boolean | undefined {
  const domain = domains.get(domainOfQuestion(action, resource, trustDomain) ?? '')
  if (!domain?.enabled || checked?.includes(':group.')) return undefined
  const lookup: DomainLookup = (name) => {
    const other = domains.get(name)
    return other ? harness.deps.authorization.view(other) : null
  }
  const named = checked?.includes('.') ? checked : `user.${checked}`
  const principal = checked === undefined ? { ...as, fullName: as.name } : { fullName: named }
  const asked = { principal, action, resource, trustDomain, now: harness.clock.millis }
  return evaluate(harness.deps.authorization.view(domain), asked, lookup).outcome === 'allow'
}

const kindOf = ({ status, body }: ModelAnswer) => (status === 200 ? JSON.stringify(body) : String(status))

/** The request with a number behind the names of the domains `a` and `b`. */
const renamed = <R extends Request>(request: R, number: number): R =>
  JSON.parse(JSON.stringify(request), (_, value: unknown) =>
    typeof value === 'string' ? value.replace(/^([ab])(?=$|[.:*-])/i, `$1${number}`) : value,
  ) as R

function exchange(url: string, body: string | undefined, options: object): Promise<Pick<Answer, 'status' | 'body'>> {
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(url, options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
