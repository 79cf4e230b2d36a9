import { authenticate, authorize, endpoint, nothing } from '#core/http/endpoint.ts'
import { lowered, shown } from '#core/http/scalar-types.ts'
import { anyObject, list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { audited, inDomain, openReadErrors, readErrors, writeErrors } from './parameters.ts'

/** An entity in a request, under its full name; the value is kept as it is, and its absence is the service's to refuse. */
export const EntityInput = struct('Entity', { name: lowered.resource, value: optional(anyObject()) })
export type EntityInput = ValueOf<typeof EntityInput>

/** An entity in a reply, under its full name. */
export const Entity = struct('Entity', { name: shown.resource, value: anyObject() })
export type Entity = ValueOf<typeof Entity>

/** Local names of entities. */
export const EntityList = struct('EntityList', { names: list(shown.entity) })
export type EntityList = ValueOf<typeof EntityList>

const entity = { ...inDomain, entityName: lowered.entity }

/** Entities: JSON objects that a domain keeps under a name. */
export const entityEndpoints = {
  putEntity: endpoint({
    operation: 'putEntity',
    method: 'PUT',
    path: '/domain/{domainName}/entity/{entityName}',
    group: 'Entity',
    summary: 'Creates or replaces an entity.',
    params: entity,
    headers: audited,
    body: EntityInput,
    access: authorize('update', '{domainName}:entity.{entityName}'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  getEntity: endpoint({
    operation: 'getEntity',
    method: 'GET',
    path: '/domain/{domainName}/entity/{entityName}',
    group: 'Entity',
    summary: 'Reads an entity.',
    params: entity,
    access: authenticate,
    responses: { 200: Entity },
    errors: readErrors,
  }),
  deleteEntity: endpoint({
    operation: 'deleteEntity',
    method: 'DELETE',
    path: '/domain/{domainName}/entity/{entityName}',
    group: 'Entity',
    summary: 'Deletes an entity.',
    params: entity,
    headers: audited,
    access: authorize('delete', '{domainName}:entity.{entityName}'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  getEntityList: endpoint({
    operation: 'getEntityList',
    method: 'GET',
    path: '/domain/{domainName}/entity',
    group: 'Entity',
    summary: 'Lists the local names of the entities of a domain.',
    params: inDomain,
    access: authenticate,
    responses: { 200: EntityList },
    errors: openReadErrors,
  }),
}
