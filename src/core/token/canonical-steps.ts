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
  const texts: string[] = []
  for (const [index, item] of (list as unknown[]).entries()) {
    texts.push(canonicalText(inner ? yield* withInner(item, ...inner) : item, shape))
    if (index % STEP_SIZE === STEP_SIZE - 1) yield
  }
  return new CanonicalPart(`[${texts.join(',')}]`)
}

function* withInner(item: unknown, member: string, shape: CanonicalShape): Steps<unknown> {
  if (!isObject(item)) return item
  const list = item[member]
  if (!Array.isArray(list) || list.length < STEP_SIZE) return item
  return { ...item, [member]: yield* canonicalListSteps(list, shape) }
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
