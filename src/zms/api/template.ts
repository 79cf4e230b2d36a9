import { authenticate, authorize, endpoint, nothing } from '#core/http/endpoint.ts'
import { lowered, maybe, shown } from '#core/http/scalar-types.ts'
import { list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { Group } from './group.ts'
import { audited, openReadErrors, writeErrors } from './parameters.ts'
import { Policy } from './policy.ts'
import { Role } from './role.ts'
import { ServiceIdentity } from './service-identity.ts'

/** Templates to apply to a domain that is created. */
export const DomainTemplateListInput = struct('DomainTemplateList', { templateNames: list(lowered.simple) })
export type DomainTemplateListInput = ValueOf<typeof DomainTemplateListInput>

/** Templates to apply, and what their placeholders stand for: both sides of a parameter are lower case. */
export const DomainTemplateInput = struct('DomainTemplate', {
  templateNames: list(lowered.simple),
  params: optional(list(struct('TemplateParam', { name: lowered.simple, value: lowered.text }))),
})
export type DomainTemplateInput = ValueOf<typeof DomainTemplateInput>

const templateNames = { templateNames: list(shown.simple) }

/** Templates that a domain has. */
export const DomainTemplateList = struct('DomainTemplateList', templateNames)
export type DomainTemplateList = ValueOf<typeof DomainTemplateList>

/** Templates that the server knows. */
export const ServerTemplateList = struct('ServerTemplateList', templateNames)
export type ServerTemplateList = ValueOf<typeof ServerTemplateList>

/** What is known about a template beside its contents. */
export const TemplateMetaData = struct('TemplateMetaData', {
  templateName: maybe.text,
  description: maybe.text,
  currentVersion: maybe.int32,
  latestVersion: maybe.int32,
  keywordsToReplace: maybe.text,
  timestamp: maybe.time,
  autoUpdate: maybe.bool,
})
export type TemplateMetaData = ValueOf<typeof TemplateMetaData>

/** What a template puts into a domain; `_domain_` stands for the name of that domain. */
export const Template = struct('Template', {
  roles: list(Role),
  policies: list(Policy),
  groups: optional(list(Group)),
  services: optional(list(ServiceIdentity)),
  metadata: optional(TemplateMetaData),
})
export type Template = ValueOf<typeof Template>

/** What is known about several templates. */
export const DomainTemplateDetailsList = struct('DomainTemplateDetailsList', { metaData: list(TemplateMetaData) })
export type DomainTemplateDetailsList = ValueOf<typeof DomainTemplateDetailsList>

const domain = { name: lowered.domain }
const template = { template: lowered.simple }

/** Templates: prepared sets of roles, policies, groups and services. */
export const templateEndpoints = {
  putDomainTemplate: endpoint({
    operation: 'putDomainTemplate',
    method: 'PUT',
    path: '/domain/{name}/template',
    group: 'Domain',
    summary: 'Applies templates to a domain.',
    params: domain,
    headers: audited,
    body: DomainTemplateInput,
    access: authorize('update', '{name}:template'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putDomainTemplateExt: endpoint({
    operation: 'putDomainTemplateExt',
    method: 'PUT',
    path: '/domain/{name}/template/{template}',
    group: 'Domain',
    summary: 'Applies one template, named in path and body, to a domain.',
    params: { ...domain, ...template },
    headers: audited,
    body: DomainTemplateInput,
    access: authorize('update', '{name}:template.{template}'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  getDomainTemplateList: endpoint({
    operation: 'getDomainTemplateList',
    method: 'GET',
    path: '/domain/{name}/template',
    group: 'Domain',
    summary: 'Lists the templates applied to a domain.',
    params: domain,
    access: authenticate,
    responses: { 200: DomainTemplateList },
    errors: openReadErrors,
  }),
  deleteDomainTemplate: endpoint({
    operation: 'deleteDomainTemplate',
    method: 'DELETE',
    path: '/domain/{name}/template/{template}',
    group: 'Domain',
    summary: 'Takes what a template has brought out of a domain.',
    params: { ...domain, ...template },
    headers: audited,
    access: authorize('delete', '{name}:template.{template}'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  getServerTemplateList: endpoint({
    operation: 'getServerTemplateList',
    method: 'GET',
    path: '/template',
    group: 'Template',
    summary: 'Lists the templates that the server knows.',
    access: authenticate,
    responses: { 200: ServerTemplateList },
    errors: [401, 429],
  }),
  getTemplate: endpoint({
    operation: 'getTemplate',
    method: 'GET',
    path: '/template/{template}',
    group: 'Template',
    summary: 'Reads what a template contains.',
    params: template,
    access: authenticate,
    responses: { 200: Template },
    errors: openReadErrors,
  }),
  getDomainTemplateDetailsList: endpoint({
    operation: 'getDomainTemplateDetailsList',
    method: 'GET',
    path: '/domain/{name}/templatedetails',
    group: 'Template',
    summary: 'Describes the templates applied to a domain, with the versions it has and could have.',
    params: domain,
    access: authenticate,
    responses: { 200: DomainTemplateDetailsList },
    errors: openReadErrors,
  }),
  getServerTemplateDetailsList: endpoint({
    operation: 'getServerTemplateDetailsList',
    method: 'GET',
    path: '/templatedetails',
    group: 'Template',
    summary: 'Describes the templates that the server knows.',
    access: authenticate,
    responses: { 200: DomainTemplateDetailsList },
    errors: [401, 429],
  }),
}
