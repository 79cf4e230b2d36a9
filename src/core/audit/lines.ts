const LINE_FEED = 10

/** A line without its line feed; `whole` is false for a last one that has none. */
export interface Line {
  readonly bytes: Buffer
  readonly whole: boolean
}

/** The lines of a content that comes in pieces of any size; no more of it is kept than one line. */
export async function* linesOf(content: AsyncIterable<Buffer>): AsyncGenerator<Line> {
  let begun: Buffer[] = []
  for await (const piece of content) {
    let from = 0
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, from)) {
      const rest = piece.subarray(from, end)
      yield { bytes: begun.length > 0 ? Buffer.concat([...begun, rest]) : rest, whole: true }
      begun = []
      from = end + 1
    }
    if (from < piece.length) begun.push(piece.subarray(from))
  }
  if (begun.length > 0) yield { bytes: Buffer.concat(begun), whole: false }
}
