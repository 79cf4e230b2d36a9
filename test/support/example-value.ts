import type { WireShape } from '#core/http/wire.ts'

/** Deeper than this, types that contain themselves stay empty. */
const DEPTH_MAX = 6

/** What examples are made of. */
export interface ExampleChoice {
  /** A value for a member or parameter of that name; undefined leaves it to its type. */
  readonly named?: (name: string) => unknown
  /** Any text that is no timestamp and no UUID. */
  readonly text?: string
}

/** A value that a type accepts, with something in every member. */
export function exampleValue(shape: WireShape, choice: ExampleChoice = {}, name = '', depth = 0): unknown {
  const inside = (type: WireShape, member = ''): unknown => exampleValue(type, choice, member, depth + 1)
  const own = choice.named?.(name)
  if (own !== undefined) return own
  const { members, items, words } = shape
  switch (shape.base) {
    case 'Struct':
      if (members === undefined || depth > DEPTH_MAX) return {}
      return Object.fromEntries([...members].map(([member, type]) => [member, inside(type, member)]))
    case 'Map':
      return items && depth <= DEPTH_MAX ? { key: inside(items) } : {}
    case 'Array':
      return items && depth <= DEPTH_MAX ? [inside(items)] : []
    case 'Bool':
      return true
    case 'Int32':
    case 'Int64':
      return 7
    case 'Timestamp':
      return '2030-01-01T00:00:00.000Z'
    case 'UUID':
      return '123e4567-e89b-12d3-a456-426614174000'
    default:
      return words?.[0] ?? choice.text ?? 'sports'
  }
}
