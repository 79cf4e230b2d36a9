/**
 * The whole of a body as text.
 * @throws RangeError when it has more than `maxBytes`; the stream and its connection are destroyed then
 */
export async function boundedText(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of body) {
    size += piece.length
    if (size > maxBytes) throw new RangeError(`the body is longer than ${maxBytes} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}
