import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { ConfigError } from '#core/config/config-error.ts'
import { loadPlugIn, missingMethods, type PlugInPoint } from '#core/config/plug-in.ts'

interface Greeter {
  greet(): string
}

const directory = mkdtempSync(join(tmpdir(), 'athenz-plug-in-'))
after(() => rmSync(directory, { recursive: true }))

const file = (name: string, source: string) => writeFileSync(join(directory, name), source)
file(
  'class.mjs',
  'export default class { constructor(name) { this.name = name } greet() { return `class ${this.name}` } }',
)
file('function.mjs', 'export default async (name) => ({ greet: () => `function ${name}` })')
file(
  'object.mjs',
  'export default { greet: () => "object" }; export const other = { greet: () => "other" }; export const __proto__ = 1',
)
file('incomplete.mjs', 'export default { greet: 1 }')
file('nothing.mjs', 'export default () => null; export const text = "text"')
file('throws.mjs', 'export default class { constructor() { throw new Error("no luck") } }')
file('syntax.mjs', 'export default {')
file('imports.mjs', 'import "no-such-package-anywhere"')
mkdirSync(join(directory, 'node_modules/@site/greeter'), { recursive: true })
file('node_modules/@site/greeter/package.json', '{"name":"@site/greeter","type":"module","main":"./main.js"}')
file('node_modules/@site/greeter/main.js', 'export default { greet: () => "package" }')

const POINT: PlugInPoint<Greeter, [string]> = {
  property: 'athenz.zms.greeter_class',
  what: 'greeter',
  builtIn: new Map<string, (name: string) => Greeter | Promise<Greeter>>([
    ['com.example.Greeter', (name) => ({ greet: () => `built in ${name}` })],
    ['com.example.LateGreeter', async (name) => ({ greet: () => `late ${name}` })],
  ]),
  problemsOf: missingMethods('greet'),
  directory,
}

const greet = async (specifier: string) => (await loadPlugIn(specifier, POINT, 'joe')).greet()

const rejects = (specifier: string, problem: RegExp) =>
  assert.rejects(greet(specifier), (error) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, problem)
    assert.ok(error.message.startsWith(`athenz.zms.greeter_class: "${specifier}" `))
    assert.match(error.message, /give one of com\.example\.Greeter, com\.example\.LateGreeter, or the path or package/)
    return true
  })

describe('loadPlugIn', () => {
  const loaded: [specifier: string, greeting: string][] = [
    ['com.example.Greeter', 'built in joe'],
    ['com.example.LateGreeter', 'late joe'],
    ['./class.mjs', 'class joe'],
    ['./function.mjs', 'function joe'],
    ['./object.mjs', 'object'],
    ['./object.mjs#other', 'other'],
    [join(directory, 'object.mjs'), 'object'],
    [pathToFileURL(join(directory, 'object.mjs')).href, 'object'],
    ['@site/greeter', 'package'],
  ]
  for (const [specifier, greeting] of loaded) {
    it(`makes an instance of ${specifier.replace(directory, '…')}`, async () =>
      assert.equal(await greet(specifier), greeting))
  }

  const refused: [name: string, specifier: string, problem: RegExp][] = [
    ['a class that is not known', 'com.example.Other', /is neither a known class nor a module/],
    ['a class that only differs in case', 'com.example.greeter', /cannot be loaded/],
    ['a URL that is no file', 'https://example.com/x.js', /is neither a known class nor a module/],
    ['source in a data URL', 'data:text/javascript,export default {}', /is neither a known class nor a module/],
    ['a module of the runtime', 'node:fs', /is neither a known class nor a module/],
    ['an empty value', '', /is neither a known class nor a module/],
    ['a missing file', './none.mjs', /cannot be loaded: Cannot find module/],
    ['a missing package', 'no-such-package-anywhere', /cannot be loaded: Cannot find package/],
    ['a missing export', './object.mjs#none', /has no export "none"/],
    ['an export that every object has', './class.mjs#constructor', /has no export "constructor"/],
    ['an object that lacks a method', './incomplete.mjs', /is no greeter: it lacks method greet/],
    ['a function that gives nothing', './nothing.mjs', /gives null instead of an object/],
    ['a text', './nothing.mjs#text', /gives string instead of an object/],
    ['a constructor that throws', './throws.mjs', /failed to start: no luck/],
    ['a module with a syntax error', './syntax.mjs', /cannot be loaded: /],
    [
      'a module whose import is missing',
      './imports.mjs',
      /cannot be loaded: Cannot find package 'no-such-package-anywhere'/,
    ],
  ]
  for (const [name, specifier, problem] of refused) {
    it(`refuses ${name}`, () => rejects(specifier, problem))
  }

  it('passes on the error of one of our own implementations as it is', async () => {
    const point: typeof POINT = { ...POINT, builtIn: new Map([['a.B', () => assert.fail('from within')]]) }
    await assert.rejects(loadPlugIn('a.B', point, 'joe'), /from within/)
  })
})
