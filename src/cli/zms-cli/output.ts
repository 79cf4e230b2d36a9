import { CommandRefusal } from './failure.ts'
import { jsonForm, yamlForm } from './published-form.ts'
import type { Result } from './result.ts'
import { yamlText } from './yaml-text.ts'

const OK_STATUS = 200
const INDENT = 4

/**
 * What is printed for a result, without the line break that ends it; undefined for nothing.
 * @throws CommandRefusal for a form of output that does not exist
 */
export function resultText(result: Result, format: string): string | undefined {
  if (result.kind === 'nothing') return undefined
  if (result.kind === 'text') return result.text
  switch (format) {
    case 'manualYaml':
      return result.kind === 'message' ? result.text : (result.text?.() ?? yaml(result))
    case 'yaml':
      return yaml(result)
    case 'json':
      return json(
        result.kind === 'message' ? { Status: OK_STATUS, Message: result.text } : jsonForm(result.value, result.shape),
      )
    default:
      throw new CommandRefusal(`unsupported output format "${format}"`)
  }
}

/** What is printed for a refusal, without the line break that ends it. */
export function refusalText(code: number, reason: string, format: string): string {
  switch (format) {
    case 'manualYaml':
    case 'yaml':
      return yamlText({ code, message: reason })
    case 'json':
      return json({ code, message: reason })
    default:
      return `*** ${code} ${reason}`
  }
}

function yaml(result: Exclude<Result, { readonly kind: 'nothing' | 'text' }>): string {
  return yamlText(
    result.kind === 'message' ? { status: OK_STATUS, message: result.text } : yamlForm(result.value, result.shape),
  )
}

const json = (value: unknown): string => JSON.stringify(value, null, INDENT)
