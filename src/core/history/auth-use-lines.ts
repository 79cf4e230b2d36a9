import type { AuthUse } from './auth-use.ts'

/** A line of a file of uses, with its line feed. */
export const useLine = ({ uriDomain, principalDomain, principalName, epochSeconds, endpoint }: AuthUse): string =>
  `${JSON.stringify([uriDomain, principalDomain, principalName, epochSeconds, endpoint])}\n`

/** The use in a line; undefined for a line that is none, such as one torn by a crash. */
export function parseUseLine(line: string): AuthUse | undefined {
  let fields: unknown
  try {
    fields = JSON.parse(line)
  } catch {
    return undefined
  }
  if (!Array.isArray(fields)) return undefined
  const [uriDomain, principalDomain, principalName, epochSeconds, endpoint] = fields as unknown[]
  const names = [uriDomain, principalDomain, principalName, endpoint]
  if (!names.every((name) => typeof name === 'string') || !Number.isSafeInteger(epochSeconds)) return undefined
  return {
    uriDomain: uriDomain as string,
    principalDomain: principalDomain as string,
    principalName: principalName as string,
    endpoint: endpoint as string,
    epochSeconds: epochSeconds as number,
  }
}
