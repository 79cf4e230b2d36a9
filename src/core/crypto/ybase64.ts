import { badRequest } from '../error/service-error.ts'

/**
 * Encodes bytes as ybase64: base64 with `.` for `+`, `_` for `/` and `-` for `=`, so that the text needs no quoting in
 * headers, URLs and token fields. A string is taken as UTF-8.
 */
export function encodeYBase64(data: Uint8Array | string): string {
  const bytes =
    typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return bytes.toString('base64').replaceAll('+', '.').replaceAll('/', '_').replaceAll('=', '-')
}

/**
 * Decodes ybase64 text, strictly: its own alphabet only, padded to a multiple of four, no bits left over.
 * Throws `bad-request` with the reason, which for plain base64 says that ybase64 is expected.
 */
export function decodeYBase64(text: string): Buffer {
  const decoded = parseYBase64(text)
  if (typeof decoded === 'string') throw badRequest(decoded)
  return decoded
}

/** As decodeYBase64, for paths where bad input is ordinary: the bytes, or the reason as a string. */
export function parseYBase64(text: string): Buffer | string {
  if (text === '') return 'ybase64 text is empty'
  if (!/^[A-Za-z0-9._-]+$/.test(text)) {
    return /^[A-Za-z0-9+/=\s]+$/.test(text)
      ? "plain base64 where ybase64 is expected: write '.' for '+', '_' for '/' and '-' for '='"
      : 'not ybase64: a character outside of A-Z, a-z, 0-9, period, underscore and hyphen'
  }
  if (text.length % 4 !== 0) return 'not ybase64: the length is not a multiple of four'
  const bytes = Buffer.from(text.replaceAll('.', '+').replaceAll('_', '/').replaceAll('-', '='), 'base64')
  // Node stops at misplaced padding and drops surplus bits, so that several texts would stand for the same bytes.
  if (encodeYBase64(bytes) !== text) return 'not ybase64: misplaced padding or surplus bits at the end'
  return bytes
}
