import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { AuthorizationDetails, loadAuthorizationDetails } from '#zts/service/authorization-details.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { domainsOf } from '../../support/zts-domains.ts'

const entity = (data: unknown, name = 'zts.authorization_details_money') => ({
  name: `sports:entity.${name}`,
  value: { data: typeof data === 'string' ? data : JSON.stringify(data) },
})

const domain = domainsOf({
  name: 'sports',
  entities: [
    entity({ type: 'money', roles: [{ name: 'Payer' }, { name: 'sports:role.buyer' }], fields: [{ name: 'limit' }] }),
    entity({ type: 'goods', roles: [{ name: 'payer' }], fields: [] }, 'zts.authorization_details_goods'),
    entity('no json', 'zts.authorization_details_broken'),
    entity({ type: 'other', roles: [{ name: 'payer' }] }, 'zts.authorization_details_no_fields'),
    entity({ type: 'foreign', roles: [{ name: 'payer' }], fields: [] }, 'else'),
  ],
}).get('sports')
assert.ok(domain)

const EVERYWHERE = [{ type: 'proxy_access', fields: [{ name: 'principal' }] }]

const check = (details: string, roles: readonly string[] | undefined, everywhere?: typeof EVERYWHERE) =>
  new AuthorizationDetails(64, everywhere).check(details, domain, roles)

const refuses = (message: string, ...of: Parameters<typeof check>) =>
  assert.throws(
    () => check(...of),
    (error) => {
      assert.ok(error instanceof ServiceError)
      assert.deepEqual([error.status, error.message], [400, message])
      return true
    },
  )

const NOT_VALID = 'Authorization Details not valid for this request'
const MISMATCH = 'Authorization Details configuration mismatch'
const INVALID = 'Invalid Authorization Details data'

describe('AuthorizationDetails', () => {
  it('takes types of the only role that is asked for', () => {
    check('[{"type":"money","limit":7},{"type":"goods"}]', ['payer'])
    check('[{"type":"money"}]', ['buyer'])
    check('[]', ['payer'])
  })

  it('takes types that are known everywhere for any roles', () => {
    for (const roles of [undefined, ['payer'], ['payer', 'buyer'], ['nosuch']]) {
      check('[{"type":"proxy_access","principal":["x"]}]', roles, EVERYWHERE)
    }
    check('[{"type":"proxy_access"},{"type":"money"}]', ['payer'], EVERYWHERE)
  })

  it('refuses them where nothing is known', () => {
    for (const roles of [undefined, [], ['nosuch'], ['payer', 'buyer']]) refuses(NOT_VALID, '[]', roles)
  })

  for (const [details, roles] of [
    ['[{"type":"goods"}]', ['buyer']],
    ['[{"type":"money","other":1}]', ['payer']],
    ['[{"type":"goods","limit":1}]', ['payer']],
    ['[{"limit":1}]', ['payer']],
    ['[{}]', ['payer']],
    ['[{"type":["money"]}]', ['payer']],
    ['[{"type":"money","__proto__":1}]', ['payer']],
    ['[{"type":"money"},{"type":"foreign"}]', ['payer']],
    ['[{"type":"other"}]', ['payer']],
  ] as const) {
    it(`refuses ${details} for ${roles.join()}`, () => refuses(MISMATCH, details, roles))
  }

  for (const details of [
    'junk',
    '{"type":"money"}',
    '"x"',
    'null',
    '7',
    '[1]',
    '[null]',
    '[[]]',
    '[{"type":"money"}',
  ]) {
    it(`refuses ${details}, which is no list of objects`, () => refuses(INVALID, details, ['payer']))
  }

  it('refuses long ones, and lets empty ones pass', () => {
    refuses('Authorization Details exceeds configured length limit', `[${' '.repeat(63)}]`, ['payer'])
    check(`[${' '.repeat(62)}]`, ['payer'])
    check('', undefined)
  })
})

describe('loadAuthorizationDetails', () => {
  it('reads the file of types', async () => {
    const file = join(temporaryFolder(), 'details.json')
    const load = async () => {
      const overrides = [['athenz.zts.system_authz_details_path', file]] as const
      const options = { server: 'zts', rootDir: '/x', files: [], overrides, env: {}, hostname: 'h' } as const
      return loadAuthorizationDetails((await loadServerConfig(options)).config)
    }
    await writeFile(file, JSON.stringify({ entities: EVERYWHERE }))
    ;(await load()).check('[{"type":"proxy_access"}]', domain, undefined)
    for (const content of ['{', '{}', '{"entities":[{"type":"a"}]}']) {
      await writeFile(file, content)
      await assert.rejects(load(), (error) => {
        assert.ok(error instanceof ConfigError)
        assert.match(error.message, /system_authz_details_path: .*details\.json: /)
        return true
      })
    }
  })
})
