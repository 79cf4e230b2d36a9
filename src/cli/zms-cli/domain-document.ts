import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import { parse, YAMLError } from 'yaml'
import type { OperationRequest } from '#client/operation.ts'
import { messageOf } from '#core/error/message-of.ts'
import type { zmsEndpoints } from '#zms/api/index.ts'
import { reasonOf } from '../command-failure.ts'
import { CommandRefusal } from './failure.ts'
import { peopleDocument } from './people-document.ts'
import { programDocument } from './program-document.ts'

type Body<K extends keyof typeof zmsEndpoints> =
  OperationRequest<(typeof zmsEndpoints)[K]> extends { readonly body: infer B } ? B : never

/** A service, with the setting that is changed by an operation of its own. */
export interface DocumentService {
  readonly service: Body<'putServiceIdentity'>
  readonly providerEndpoint: string | undefined
}

/** A domain as a file has it, in the form in which it is sent; names are full ones. */
export interface DomainDocument {
  readonly name: string
  /** Settings of administrators and of operators alike. */
  readonly settings: Body<'putDomainMeta'>
  readonly roles: readonly Body<'putRole'>[]
  readonly groups: readonly Body<'putGroup'>[]
  readonly policies: readonly Body<'putPolicy'>[]
  readonly services: readonly DocumentService[]
  readonly entities: readonly Body<'putEntity'>[]
}

/**
 * Reads a domain from a file, or from standard input: in any form that `export-domain` writes.
 * @throws CommandRefusal when it cannot be read, or is of another domain than `name`
 */
export async function readDomainDocument(name: string, file: string | undefined): Promise<DomainDocument> {
  const contents = await contentsOf(file)
  const document = documentOf(contents)
  if (document.name !== name) {
    throw new CommandRefusal(`domain name mismatch. Expected ${name}, encountered ${document.name}`)
  }
  return document
}

async function contentsOf(file: string | undefined): Promise<string> {
  if (file === undefined) return readAll(process.stdin)
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new CommandRefusal(`cannot read ${file}: ${reasonOf(error)}`)
  }
}

function documentOf(contents: string): DomainDocument {
  try {
    // Only texts, lists and maps: what looks like a number is a version, a key id or a description as likely.
    const root: unknown = parse(contents, { schema: 'failsafe' })
    if (typeof root !== 'object' || root === null) throw new CommandRefusal('the file has no domain in it')
    return Object.hasOwn(root, 'domain') ? peopleDocument(root) : programDocument(root)
  } catch (error) {
    if (error instanceof YAMLError) throw new CommandRefusal(`the file is no YAML: ${messageOf(error).split('\n')[0]}`)
    throw error
  }
}
