/**
 * The whole of a body.
 * @throws RangeError when it has more than `maxBytes`; the stream and its connection are destroyed then
 */
export async function boundedBytes(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > maxBytes) throw new RangeError(`the body is longer than ${maxBytes} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** As {@link boundedBytes}, as text. */
export const boundedText = async (body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> =>
  (await boundedBytes(body, maxBytes)).toString('utf8')
