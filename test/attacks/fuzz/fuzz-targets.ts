import { ANSWER_TARGETS } from './answer-targets.ts'
import { CERTIFICATE_TARGETS } from './certificate-targets.ts'
import { DOCUMENT_TARGETS } from './document-targets.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { PAGE_TARGETS } from './page-targets.ts'
import { REQUEST_TARGETS } from './request-targets.ts'
import { TOKEN_TARGETS } from './token-targets.ts'

/** Everything that reads bytes of strangers. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  ...TOKEN_TARGETS,
  ...CERTIFICATE_TARGETS,
  ...REQUEST_TARGETS,
  ...DOCUMENT_TARGETS,
  ...PAGE_TARGETS,
  ...ANSWER_TARGETS,
]

/** The target of that name. Throws RangeError when there is none. */
export function findTarget(name: string): FuzzTarget {
  const found = FUZZ_TARGETS.find((target) => target.name === name)
  if (found === undefined) throw new RangeError(`there is no target ${name}`)
  return found
}
