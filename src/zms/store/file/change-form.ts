import type { Domain } from '../model.ts'
import {
  type AssertionForm,
  assertionOf,
  type ConditionsForm,
  conditionsOf,
  type DomainForm,
  domainOf,
  domainPieces,
  formOfAssertion,
  formOfConditions,
  formOfSettings,
  type SharedTexts,
  settingsOf,
} from './domain-form.ts'
import type { LoggedChange } from './notice-change.ts'

/** The JSON text of a change. */
export function changeText(change: LoggedChange): string {
  if (change.kind !== 'createDomain') return JSON.stringify(formOf(change))
  const { kind, domain, value } = change
  return `${JSON.stringify({ kind, domain }).slice(0, -1)},"value":${[...domainPieces(value)].join('')}}`
}

/** What the value of a change may carry beyond its type, because richer objects fit; it is not part of the change. */
const WITHOUT_HOLDINGS = {
  roles: undefined,
  groups: undefined,
  policies: undefined,
  services: undefined,
  entities: undefined,
  templates: undefined,
  quota: undefined,
  policiesRevision: undefined,
  members: undefined,
  pending: undefined,
  assertions: undefined,
  publicKeys: undefined,
  hosts: undefined,
}

function formOf(change: Exclude<LoggedChange, { kind: 'createDomain' }>): object {
  switch (change.kind) {
    case 'putDomain':
    case 'putRole':
    case 'putGroup':
    case 'putPolicy':
    case 'putService':
      return { ...change, value: { ...formOfSettings(change.value), ...WITHOUT_HOLDINGS } }
    case 'putAssertion':
      return { ...change, value: formOfAssertion(change.value) }
    case 'putConditions':
      return { ...change, value: formOfConditions(change.value) }
    case 'putHosts':
      return { ...change, hosts: [...change.hosts] }
    default:
      return change
  }
}

/** The change that a parsed JSON text describes. */
export function changeOf(form: object, texts: SharedTexts): LoggedChange {
  const change = form as { kind: LoggedChange['kind']; value: object; hosts: Iterable<string> }
  switch (change.kind) {
    case 'createDomain':
      change.value = domainOf(change.value as DomainForm, texts) satisfies Domain
      break
    case 'putDomain':
    case 'putRole':
    case 'putGroup':
    case 'putPolicy':
    case 'putService':
      change.value = settingsOf(change.value)
      break
    case 'putAssertion':
      change.value = assertionOf(change.value as AssertionForm)
      break
    case 'putConditions':
      change.value = conditionsOf(change.value as ConditionsForm)
      break
    case 'putHosts':
      change.hosts = new Set(change.hosts)
      break
    default:
      break
  }
  return form as LoggedChange
}
