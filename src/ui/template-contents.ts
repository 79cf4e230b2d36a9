import { splitResourceName } from '#core/names/resource-name.ts'
import type { Template } from '#zms/api/template.ts'
import { table } from './components.ts'
import { type Html, html } from './html.ts'
import { assertionText } from './policy-view.ts'

/** What a template puts into a domain. */
export interface TemplatePart {
  readonly kind: 'role' | 'group' | 'policy' | 'service'
  /** With the name of the domain in place of `_domain_`; other placeholders stay. */
  readonly name: string
  readonly details: readonly string[]
}

/** The objects that a template brings into a domain. */
export function templateParts(
  domain: string,
  { roles, groups = [], policies, services = [] }: Template,
): TemplatePart[] {
  const named = (text: string): string => text.replaceAll('_domain_', domain)
  const members = (list: readonly { readonly memberName?: string | undefined }[] | null | undefined): string[] =>
    (list ?? []).map(({ memberName = '' }) => named(memberName))
  return [
    ...roles.map(({ name, trust, roleMembers }): TemplatePart => {
      const details = trust === undefined ? members(roleMembers) : [`delegated to ${named(trust)}`]
      return { kind: 'role', name: named(name), details }
    }),
    ...groups.map(
      ({ name, groupMembers }): TemplatePart => ({
        kind: 'group',
        name: named(name),
        details: members(groupMembers),
      }),
    ),
    ...policies.map(
      ({ name, assertions }): TemplatePart => ({
        kind: 'policy',
        name: named(name),
        details: (assertions ?? []).map((each) => named(assertionText(each))),
      }),
    ),
    ...services.map(({ name }): TemplatePart => ({ kind: 'service', name: named(name), details: [] })),
  ]
}

/** These objects as a table. */
export const partsTable = (caption: string, parts: readonly TemplatePart[]): Html =>
  table({
    caption,
    head: ['Object', 'Kind', 'What it has'],
    rows: parts.map(({ kind, name, details }) => [
      kind === 'service' ? name : (splitResourceName(kind, name)?.name ?? name),
      kind,
      details.map((each) => html`<div>${each}</div>`),
    ]),
    empty: 'Nothing.',
  })

/** Names of the parameters of a template: placeholders but for the domain, without the underscores around them. */
export const parameterNames = (keywords: string | undefined): string[] =>
  (keywords ?? '')
    .split(',')
    .map((word) => word.trim().replaceAll(/^_|_$/g, ''))
    .filter((word) => word !== '' && word !== 'domain')
