import { z } from 'zod'

/** One port of a file that says which port serves what. */
export interface PortRule {
  readonly port: number
  readonly clientCertificateNeeded: boolean
  readonly sniRequired: boolean
  readonly sniHostCheck: boolean
  /** Whether the port serves a request; everything when absent. */
  readonly serves?: (method: string, path: string) => boolean
}

const Place = z
  .strictObject({
    path: z.string().startsWith('/').optional(),
    path_starts_with: z.string().startsWith('/').optional(),
    path_ends_with: z.string().min(1).optional(),
    methods: z.array(z.string().min(1)).optional(),
    description: z.string().optional(),
  })
  .refine(
    ({ path, path_starts_with: start, path_ends_with: end }) =>
      path !== undefined || start !== undefined || end !== undefined,
    {
      message: 'path, path_starts_with or path_ends_with is needed',
    },
  )

const File = z.strictObject({
  ports: z.array(
    z.strictObject({
      port: z.int().min(1).max(65_535),
      description: z.string().optional(),
      mtls_required: z.boolean().default(false),
      sni_required: z.boolean().default(false),
      sni_host_check: z.boolean().default(false),
      allowed_endpoints: z.array(Place).default([]),
    }),
  ),
})

type Place = z.output<typeof Place>

/**
 * Reads the JSON file that lists ports and what each may serve. A port without a list serves everything; a place matches
 * by its whole path, or by beginning and end where both are given, and by method where methods are given.
 * Throws Error with all problems for text that is not such a file, or names a port twice.
 */
export function readPortRules(text: string): readonly PortRule[] {
  const parsed = File.safeParse(parseText(text))
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error).replaceAll('\n', '; '))
  const { ports } = parsed.data
  const twice = ports.find(({ port }, index) => ports.findIndex((other) => other.port === port) !== index)
  if (twice) throw new Error(`port ${twice.port} is listed twice`)
  return ports.map((rule) => ({
    port: rule.port,
    clientCertificateNeeded: rule.mtls_required,
    sniRequired: rule.sni_required,
    sniHostCheck: rule.sni_host_check,
    ...(rule.allowed_endpoints.length > 0 && { serves: servesAnyOf(rule.allowed_endpoints) }),
  }))
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error('it is no JSON', { cause })
  }
}

function servesAnyOf(places: readonly Place[]): NonNullable<PortRule['serves']> {
  const matchers = places.map((place) => {
    const methods = place.methods && new Set(place.methods.map((method) => method.toUpperCase()))
    return (method: string, path: string) => (!methods || methods.has(method)) && isAt(place, path)
  })
  return (method, path) => matchers.some((matches) => matches(method, path))
}

function isAt({ path, path_starts_with: start, path_ends_with: end }: Place, asked: string): boolean {
  if (path !== undefined) return asked === path
  return (start === undefined || asked.startsWith(start)) && (end === undefined || asked.endsWith(end))
}
