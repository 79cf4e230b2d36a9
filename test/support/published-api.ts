import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Type of the tables of the published interface: facts taken from its schema. */
export interface PublishedApi {
  readonly types: Readonly<Record<string, PublishedType>>
  readonly resources: readonly PublishedOperation[]
}

/** A published type; a structure lists its own fields only, those of `base` come first. */
export interface PublishedType {
  readonly kind: 'string' | 'struct' | 'enum' | 'alias'
  readonly base?: string
  readonly regex?: string
  readonly values?: readonly string[]
  readonly fields?: readonly PublishedField[]
}

/** A member of a published structure. */
export interface PublishedField {
  readonly name: string
  readonly type: string
  readonly items?: string
  readonly keys?: string
  readonly optional: boolean
  readonly x_allowempty?: boolean
}

/** A parameter of a published operation; `var` is its name in the schema where that differs from the wire. */
export interface PublishedParameter {
  readonly name: string
  readonly var?: string
  readonly type: string
  readonly optional?: boolean
  readonly default?: unknown
}

/** A published operation. */
export interface PublishedOperation {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly group: string
  readonly path_params: readonly PublishedParameter[]
  readonly query_params: readonly PublishedParameter[]
  readonly header_params: readonly PublishedParameter[]
  readonly body: { readonly type: string } | null
  readonly result: string | null
  readonly auth: { readonly kind: string; readonly action?: string; readonly resource?: string }
  readonly expected: readonly number[]
  readonly exceptions: readonly number[]
  readonly consumes?: readonly string[]
}

const folder = fileURLToPath(new URL('../../../shared/api/', import.meta.url))

/** The tables of one interface (`zms`, `zts`), or undefined where they do not lie beside the checkout. */
export function publishedApi(name: string): PublishedApi | undefined {
  const file = `${folder}${name}.json`
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as PublishedApi) : undefined
}

/** Why a test that needs the tables is skipped, or false: the value of the `skip` option of a test. */
export const skipWithout = (api: PublishedApi | undefined): string | false =>
  api ? false : `the tables of the published interface are not beside the checkout (${folder})`

/** Own and inherited fields of a published structure. */
export function fieldsOf(api: PublishedApi, name: string): PublishedField[] {
  const type = api.types[name]
  if (type?.kind !== 'struct') return []
  return [...(type.base && type.base !== 'Struct' ? fieldsOf(api, type.base) : []), ...(type.fields ?? [])]
}
