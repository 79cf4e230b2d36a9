import type { WireShape } from '#core/http/wire.ts'

/** What a command has to say. */
export type Result = Message | Value | PlainText | Nothing

/** That something was done, or a short answer. */
export interface Message {
  readonly kind: 'message'
  readonly text: string
}

/** An object of the interface; `text` is its form for people, which ends with a line break. */
export interface Value {
  readonly kind: 'value'
  readonly value: unknown
  /** Its published type, when it has one. */
  readonly shape: WireShape | undefined
  /** The form of `-o yaml` unless given. */
  readonly text: (() => string) | undefined
}

/** A text that is the same in every form of output. */
export interface PlainText {
  readonly kind: 'text'
  readonly text: string
}

/** Nothing to say: the result went into a file. */
export interface Nothing {
  readonly kind: 'nothing'
}

export const message = (text: string): Message => ({ kind: 'message', text })
/** A message with an empty line after it, as most of those about changes have. */
export const done = (text: string): Message => message(`${text}\n`)
export const plainText = (text: string): PlainText => ({ kind: 'text', text })
export const NOTHING: Nothing = { kind: 'nothing' }

export const shown = (value: unknown, shape?: WireShape, text?: () => string): Value => ({
  kind: 'value',
  value,
  shape,
  text,
})
