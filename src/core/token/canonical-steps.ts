import type { Steps } from '../seam/steps.ts'
import { CanonicalPart, type CanonicalShape, canonicalText } from './canonical-text.ts'

type Json = Readonly<Record<string, unknown>>

/** Members, assertions and the like that are written between two looks at the time. */
const STEP_SIZE = 200

/**
 * A list with its canonical text made already, in steps, with that of long lists in the member `inner` of its items; an
 * empty list and what is none stay as they are.
 */
export function* canonicalListSteps(
  list: unknown,
  shape: CanonicalShape,
  inner?: readonly [member: string, shape: CanonicalShape],
): Steps<unknown> {
  if (!Array.isArray(list) || list.length === 0) return list
  let text = ''
  for (let index = 0; index < list.length; index++) {
    const item: unknown = list[index]
    if (index > 0) text += ','
    text += canonicalText(inner && isLong(item, inner[0]) ? yield* withInner(item, ...inner) : item, shape)
    if (index % STEP_SIZE === STEP_SIZE - 1) yield
  }
  return new CanonicalPart(`[${text}]`)
}

function* withInner(item: Json, member: string, shape: CanonicalShape): Steps<unknown> {
  return { ...item, [member]: yield* canonicalListSteps(item[member], shape) }
}

function isLong(item: unknown, member: string): item is Json {
  if (!isObject(item)) return false
  const list = item[member]
  return Array.isArray(list) && list.length >= STEP_SIZE
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
