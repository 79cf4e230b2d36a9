import { indented, textOf } from './lines.ts'
import { type NameStyle, type ObjectKind, shownLocal } from './names.ts'

/** A heading and names below it. */
export const listText = (heading: string, names: readonly string[]): string =>
  textOf([
    `${heading}:`,
    ...indented(
      4,
      names.map((name) => `- ${name}`),
    ),
  ])

/** Local names of objects of a domain below a heading. */
export const objectListText = (
  heading: string,
  { domain, kind, names }: { domain: string; kind: ObjectKind; names: readonly string[] },
  style: NameStyle,
): string =>
  listText(
    heading,
    names.map((name) => shownLocal(domain, kind, name, style)),
  )

/** A heading and lines below it, which stand right of it. */
export const blockText = (heading: string, lines: readonly string[]): string =>
  textOf([`${heading}:`, ...indented(4, lines)])
