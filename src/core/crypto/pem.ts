/** One `-----BEGIN label-----` … `-----END label-----` section of a PEM text. */
export interface PemBlock {
  readonly label: string
  /** The section with its two delimiter lines. */
  readonly text: string
}

const BEGIN = '-----BEGIN '
const DASHES = '-----'
const LABEL = /^[A-Z0-9 ]{1,64}$/

/**
 * The sections of a PEM text in their order; text around them is ignored, as is a section without its end
 * or with an odd label.
 * Takes time linear in the length of the text.
 */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = []
  let position = text.indexOf(BEGIN)
  while (position !== -1) {
    const labelEnd = text.indexOf(DASHES, position + BEGIN.length)
    if (labelEnd === -1) break
    const label = text.slice(position + BEGIN.length, labelEnd)
    const bodyStart = labelEnd + DASHES.length
    const next = text.indexOf(DASHES, bodyStart)
    if (next === -1) break
    const end = `${DASHES}END ${label}${DASHES}`
    if (text.startsWith(end, next)) {
      if (LABEL.test(label)) blocks.push({ label, text: `${text.slice(position, next + end.length)}\n` })
      position = text.indexOf(BEGIN, next + end.length)
    } else {
      position = text.indexOf(BEGIN, next)
    }
  }
  return blocks
}
