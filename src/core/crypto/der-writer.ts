const LONG_FORM = 0x80

/**
 * The DER of one value (ITU-T X.690, 10): its identifier octet, its length, and its content, given in pieces. For
 * structures whose parts are DER already, where a tree of them would take several times as long.
 */
export function derValue(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, piece) => sum + piece.length, 0)
  return Buffer.concat([header(tag, length), ...content])
}

function header(tag: number, length: number): Buffer {
  if (length < LONG_FORM) return Buffer.from([tag, length])
  const digits: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 0x100)) digits.unshift(rest % 0x100)
  return Buffer.from([tag, LONG_FORM + digits.length, ...digits])
}
