import { readFile } from 'node:fs/promises'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'

/** The key of a command line: the contents of a file when there is one of that name, otherwise the word itself. */
export async function readPublicKey(word: string): Promise<string> {
  const contents = await readFile(word).catch(() => undefined)
  return contents === undefined ? word : encodeYBase64(contents)
}
