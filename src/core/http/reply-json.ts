import type { WireShape } from './wire.ts'

/** Writes the JSON text of a reply. */
export type ReplySerializer = (value: unknown) => string

type Convert = (value: unknown) => unknown

/**
 * The serializer for replies of a shape. Only members that may be maps are looked at: a Map there becomes an object with
 * the same entries (`__proto__` included), all else goes to JSON.stringify as it is. Without a shape every value is searched.
 */
export function replySerializer(shape: WireShape | undefined): ReplySerializer {
  const convert = shape ? converterOf(shape) : convertAnything
  return convert ? (value) => JSON.stringify(convert(value)) : JSON.stringify
}

/** How values of a shape are freed of maps; undefined when it has none. */
function converterOf(shape: WireShape): Convert | undefined {
  if (shape.base === 'Map') return mapConverter(shape.items && converterOf(shape.items))
  if (shape.base === 'Array') return listConverter(shape.items && converterOf(shape.items))
  if (shape.base === 'Any' || (shape.base === 'Struct' && !shape.members)) return convertAnything
  return shape.base === 'Struct' ? structConverter(shape.members ?? new Map()) : undefined
}

function mapConverter(convertItem: Convert | undefined): Convert {
  return (value) => {
    if (typeof value !== 'object' || value === null) return value
    if (!(value instanceof Map) && !convertItem) return value
    const entries: [string, unknown][] = value instanceof Map ? [...value] : Object.entries(value)
    return Object.fromEntries(convertItem ? entries.map(([name, item]) => [name, convertItem(item)]) : entries)
  }
}

function listConverter(convertItem: Convert | undefined): Convert | undefined {
  if (!convertItem) return undefined
  return (value) => (Array.isArray(value) ? value.map(convertItem) : value)
}

function structConverter(members: ReadonlyMap<string, WireShape>): Convert | undefined {
  const converters = [...members].flatMap(([name, shape]) => {
    const convert = converterOf(shape)
    return convert ? [{ name, convert }] : []
  })
  if (converters.length === 0) return undefined
  return (value) => {
    if (typeof value !== 'object' || value === null) return value
    let copy: Record<string, unknown> | undefined
    for (const { name, convert } of converters) {
      const member = (value as Record<string, unknown>)[name]
      const converted = convert(member)
      if (converted === member) continue
      copy ??= { ...value }
      copy[name] = converted
    }
    return copy ?? value
  }
}

function convertAnything(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return value
  if (Array.isArray(value)) return value.map(convertAnything)
  const entries: [string, unknown][] = value instanceof Map ? [...value] : Object.entries(value)
  return Object.fromEntries(entries.map(([name, item]) => [name, convertAnything(item)]))
}
