import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fastify from 'fastify'
import { PlainRoutes } from '#core/http/plain-routes.ts'

function declared(): PlainRoutes<string> {
  const routes = new PlainRoutes<string>('/api/v1')
  routes.add('GET', '/domain', 'list')
  routes.add('GET', '/domain/{name}', 'get')
  routes.add('DELETE', '/domain/{domain}', 'delete')
  routes.add('GET', '/domain/metastore', 'metastore')
  routes.add('GET', '/domain/{name}/role/{role}', 'role')
  routes.add('PUT', '/{any}', 'any')
  return routes
}

suite('the plain way to operations', () => {
  const finds: [string, string, string, Record<string, string>][] = [
    ['GET', '/api/v1/domain', 'list', {}],
    ['GET', '/api/v1/domain?limit=2', 'list', {}],
    ['GET', '/api/v1/domain/sports', 'get', { name: 'sports' }],
    ['DELETE', '/api/v1/domain/sports', 'delete', { domain: 'sports' }],
    ['GET', '/api/v1/domain/metastore', 'metastore', {}],
    ['GET', '/api/v1/domain/Metastore', 'get', { name: 'Metastore' }],
    ['GET', '/api/v1/domain/sports/role/a:b.c-d_e;f@g', 'role', { name: 'sports', role: 'a:b.c-d_e;f@g' }],
    ['GET', '/api/v1/domain/sports/role/r?a=/b/%41#/c', 'role', { name: 'sports', role: 'r' }],
    ['GET', '/api/v1/domain/sports/role/r#?/x', 'role', { name: 'sports', role: 'r' }],
    ['GET', '/api/v1/domain/__proto__', 'get', { name: '__proto__' }],
    ['PUT', '/api/v1/x', 'any', { any: 'x' }],
  ]
  for (const [method, target, value, params] of finds) {
    test(`${method} ${target} is ${value}`, () => {
      assert.deepEqual(declared().find(method, target), { value, params })
    })
  }

  const left = [
    ['of another method', 'POST', '/api/v1/domain'],
    ['with a slash at the end', 'GET', '/api/v1/domain/'],
    ['with an empty segment', 'GET', '/api/v1//domain'],
    ['with an empty name', 'GET', '/api/v1/domain//role/r'],
    ['with something encoded', 'GET', '/api/v1/domain/%73ports'],
    ['longer than any', 'GET', '/api/v1/domain/sports/role/r/x'],
    ['shorter than any', 'GET', '/api/v1/domain/sports/role'],
    ['where a placeholder would lead on but a literal does not', 'GET', '/api/v1/domain/metastore/role/r'],
    ['outside of the base', 'GET', '/api/v1domain'],
    ['that is the base', 'GET', '/api/v1'],
    ['that is the base with a slash', 'GET', '/api/v1/'],
    ['in other letters', 'GET', '/API/v1/domain'],
    ['of an absolute target', 'GET', 'http://localhost/api/v1/domain'],
    ['that is an asterisk', 'OPTIONS', '*'],
  ] as const
  for (const [what, method, target] of left) {
    test(`leaves a path ${what} to the router`, () => assert.equal(declared().find(method, target), undefined))
  }

  test('finds nothing but what the router finds', async () => {
    const plain = new PlainRoutes<string>('/api/v1')
    const router = fastify({ routerOptions: { ignoreTrailingSlash: true } })
    const paths = ['/a', '/a/{x}', '/a/b', '/a/b/{y}', '/{z}/b/c', '/{z}/{y}/c', '/a/{x}/c/{w}', '/ab/{v}']
    for (const path of paths) {
      plain.add('GET', path, path)
      const pattern = path.replaceAll(/\{(\w)\}/g, ':$1')
      router.get(`/api/v1${pattern}`, ({ params }) => ({ value: path, params }))
    }
    const segments = ['a', 'b', 'c', 'ab', '', 'a:b', '%61', '~;x']
    let targets = ['/api/v1']
    let count = 0
    for (let length = 1; length <= 4; length++) {
      targets = targets.flatMap((target) => segments.map((segment) => `${target}/${segment}`))
      for (const target of targets) {
        const found = plain.find('GET', target)
        if (!found) continue
        count++
        const answer = await router.inject(target)
        assert.deepEqual([answer.statusCode, answer.json()], [200, found], target)
      }
    }
    assert.equal(count > 50, true, String(count))
  })
})
