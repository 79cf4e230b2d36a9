import type { AlternativeName } from './certificate-name.ts'
import { DerError, DerReader, derTags, idOf, readOid } from './der-reader.ts'

/** Attributes of a subject that are read; others are kept in its bytes only. */
export type SubjectAttribute = 'CN' | 'O' | 'OU'

/** Values of the attributes in the order given; more than one of a type is for the caller to judge. */
export type SubjectAttributes = ReadonlyMap<SubjectAttribute, readonly string[]>

const SUBJECT_ATTRIBUTES: ReadonlyMap<string, SubjectAttribute> = new Map([
  [idOf('2.5.4.3'), 'CN'],
  [idOf('2.5.4.10'), 'O'],
  [idOf('2.5.4.11'), 'OU'],
])

/** The attributes of a name, given the content of its sequence. Throws {@link DerError}. */
export function readSubject(content: Buffer): SubjectAttributes {
  const found = new Map<SubjectAttribute, string[]>()
  const names = new DerReader(content)
  while (!names.done) {
    const attributes = names.enter(derTags.set)
    do {
      const attribute = attributes.enter()
      const type = SUBJECT_ATTRIBUTES.get(readOid(attribute))
      const { tag, content: value } = attribute.next()
      attribute.end()
      const text = readText(tag, value)
      if (type !== undefined) found.set(type, [...(found.get(type) ?? []), text])
    } while (!attributes.done)
  }
  return found
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const TEXT_READERS: ReadonlyMap<number, (value: Buffer) => string> = new Map([
  [derTags.utf8String, (value: Buffer) => UTF8.decode(value)],
  [derTags.printableString, (value: Buffer) => value.toString('latin1')],
  [derTags.teletexString, (value: Buffer) => value.toString('latin1')],
  [derTags.ia5String, (value: Buffer) => value.toString('latin1')],
  [derTags.bmpString, (value: Buffer) => Buffer.from(value).swap16().toString('utf16le')],
])

/** Control characters could hide a part of a name from whoever reads it in a log or as a C string. */
const CONTROL_CHARACTER = /[\p{Cc}\p{Zl}\p{Zp}]/u

function readText(tag: number, value: Buffer): string {
  const read = TEXT_READERS.get(tag)
  if (read === undefined) throw new DerError('its subject has a value that is no text')
  let text: string
  try {
    text = read(value)
  } catch {
    throw new DerError('its subject has a text that cannot be read')
  }
  if (text === '') throw new DerError('its subject has an empty value')
  if (CONTROL_CHARACTER.test(text)) throw new DerError('its subject has a control character')
  return text
}

/** Context tags of GeneralName, RFC 5280, 4.2.1.6. */
const NAME_TYPES: ReadonlyMap<number, Exclude<AlternativeName['type'], 'ip'>> = new Map([
  [0x81, 'email'],
  [0x82, 'dns'],
  [0x86, 'uri'],
])
const ADDRESS_TAG = 0x87
/** Names of other kinds: otherName, x400Address, directoryName, ediPartyName, registeredID. */
const OTHER_NAME_TAGS: ReadonlySet<number> = new Set([0xa0, 0xa3, 0xa4, 0xa5, 0x88])

/**
 * The alternative names in the content of their extension: DNS names, e-mail addresses, URIs and addresses; names of
 * other kinds are left out. None without the extension. Throws {@link DerError}.
 */
export function readAlternativeNames(content: Buffer | undefined): AlternativeName[] {
  if (content === undefined) return []
  const outer = new DerReader(content)
  const list = outer.enter()
  outer.end()
  const names: AlternativeName[] = []
  while (!list.done) {
    const { tag, content: value } = list.next()
    if (OTHER_NAME_TAGS.has(tag)) continue
    const type = NAME_TYPES.get(tag)
    if (type !== undefined) names.push({ type, value: visibleText(value) })
    else if (tag === ADDRESS_TAG) names.push({ type: 'ip', value: addressText(value) })
    else throw new DerError('it has an alternative name of an unknown kind')
  }
  return names
}

function visibleText(value: Buffer): string {
  const text = value.toString('latin1')
  if (!/^[\x21-\x7e]+$/.test(text))
    throw new DerError('it has an alternative name that is empty or not of visible ASCII')
  return text
}

/** The text of an address; IPv6 with all its groups, as the peer writes it to providers and records. */
function addressText(value: Buffer): string {
  if (value.length === 4) return value.join('.')
  if (value.length !== 16) throw new DerError('it has an address of neither 4 nor 16 bytes')
  return Array.from({ length: 8 }, (_, index) => value.readUInt16BE(index * 2).toString(16)).join(':')
}
