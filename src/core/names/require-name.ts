import { badRequest } from '../error/service-error.ts'
import { isName, type NameType } from './patterns.ts'

/** 400 for a text that is no name of its type, in the words for values of requests. */
export function requireName(type: NameType, text: string): void {
  if (!isName(type, text)) throw badRequest(`Invalid ${type} error: not a valid ${type}`)
}
