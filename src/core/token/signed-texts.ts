import { Pace } from '../seam/pace.ts'
import { type CanonicalShape, canonicalText } from './canonical-text.ts'

/** An object as JSON, and its canonical text. */
export interface Texts {
  readonly json: string
  readonly canonical: string
}

/** Items that are written between two looks at the time. */
const PIECE_SIZE = 200

/** Writes what is to be signed, piece by piece: others have their turn in between, however large it is. */
export class SignedTexts {
  readonly #pace = new Pace()

  /** A list of objects; without a shape, only its JSON. */
  list<T>(
    items: readonly T[],
    reply: (item: T) => Record<string, unknown>,
    shape: CanonicalShape | undefined,
  ): Promise<Texts> {
    return this.each(pieces(items), (piece) => {
      const replies = piece.map(reply)
      return {
        json: withoutBrackets(JSON.stringify(replies)),
        canonical: shape ? withoutBrackets(canonicalText(replies, shape)) : '',
      }
    })
  }

  /** A list of the texts of each item. */
  async each<T>(items: Iterable<T>, textsOf: (item: T) => Texts | Promise<Texts>): Promise<Texts> {
    const json: string[] = []
    const canonical: string[] = []
    for (const item of items) {
      const texts = await textsOf(item)
      json.push(texts.json)
      canonical.push(texts.canonical)
      await this.#pace.pause()
    }
    return { json: `[${json.join(',')}]`, canonical: `[${canonical.join(',')}]` }
  }
}

const withoutBrackets = (list: string): string => list.slice(1, -1)

function* pieces<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += PIECE_SIZE) yield items.slice(start, start + PIECE_SIZE)
}
