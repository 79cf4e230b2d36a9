import { Entity } from '#zms/api/entity.ts'
import { readPair } from './argument-values.ts'
import { type CommandGroup, domainCommand, MANY } from './command.ts'
import { entityLines } from './domain-text.ts'
import { blockText, objectListText } from './list-text.ts'
import { fullName } from './names.ts'
import { message, type Result, shown } from './result.ts'
import type { Session } from './session.ts'

/** Entities: objects of a domain that only its owner understands. */
export const entityCommands: CommandGroup = {
  title: 'Entity',
  commands: [
    domainCommand(['list-entity', '', 'Lists the entities of a domain.'], [0, MANY], async (session, domain) => {
      const { names } = await session.call('getEntityList', { domainName: domain })
      return shown(names, undefined, () => objectListText('entities', { domain, kind: 'entity', names }, session.flags))
    }),
    domainCommand(
      ['show-entity', 'entity', 'Shows the values of an entity.'],
      [1, 1],
      (session, domain, [entityName = '']) => showEntity(session, domain, entityName),
    ),
    domainCommand(
      ['add-entity', 'entity key=value [key=value ...]', 'Creates or replaces an entity.'],
      [2, MANY],
      async (session, domain, [entityName = '', ...words]) => {
        const body = { name: fullName(domain, 'entity', entityName), value: Object.fromEntries(words.map(readPair)) }
        await session.call('putEntity', { domainName: domain, entityName, body })
        return showEntity(session, domain, entityName)
      },
    ),
    domainCommand(
      ['delete-entity', 'entity', 'Deletes an entity.'],
      [1, 1],
      async (session, domain, [entityName = '']) => {
        await session.call('deleteEntity', { domainName: domain, entityName })
        return message(`[Deleted entity: ${domain}.${entityName}]`)
      },
    ),
  ],
}

async function showEntity(session: Session, domainName: string, entityName: string): Promise<Result> {
  const entity = await session.call('getEntity', { domainName, entityName })
  return shown(entity, Entity.wire, () => blockText('entity', entityLines(entity, session.flags)))
}
