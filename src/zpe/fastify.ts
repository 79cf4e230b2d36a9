import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AccessCheck } from './domain-policies.ts'
import { type GuardOptions, RequestGuard } from './request-guard.ts'

/** What the plug-in is registered with; the rest is for each route. */
export type FastifyAthenzOptions = Omit<GuardOptions<FastifyRequest>, 'resource' | 'action'>

/** What a route asks for. */
export type FastifyAthenzRule = Pick<GuardOptions<FastifyRequest>, 'resource' | 'action'> &
  Partial<FastifyAthenzOptions>

/** A hook of a route. */
export type FastifyAthenzHook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

declare module 'fastify' {
  interface FastifyInstance {
    /** A hook for `onRequest` or `preHandler`: 401 or 403 with the reason as JSON, unless the policies allow it. */
    athenz(rule: FastifyAthenzRule): FastifyAthenzHook
  }
  interface FastifyRequest {
    /** By what the request was let in; null where no rule was asked. */
    athenz: AccessCheck | null
  }
}

/**
 * Plug-in of Fastify: `app.register(fastifyAthenz, { zpe })`, then
 * `app.get('/', { onRequest: app.athenz({ resource, action }) }, …)`.
 */
export async function fastifyAthenz(app: FastifyInstance, options: FastifyAthenzOptions): Promise<void> {
  app.decorateRequest('athenz', null)
  app.decorate('athenz', (rule: FastifyAthenzRule): FastifyAthenzHook => {
    const guard = new RequestGuard<FastifyRequest>({ ...options, ...rule }, ({ raw }) => raw)
    return async (request, reply) => {
      const { check, refusal } = await guard.check(request)
      if (refusal !== undefined) return reply.code(refusal.status).headers(refusal.headers).send(refusal.body)
      request.athenz = check
      return undefined
    }
  })
}

// What it adds is for the whole application, not for the plug-in alone.
Object.assign(fastifyAthenz, { [Symbol.for('skip-override')]: true })
