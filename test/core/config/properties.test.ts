import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseProperties, readProperties } from '#core/config/properties.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const parse = (text: string | Uint8Array, env: Record<string, string> = {}) =>
  parseProperties(typeof text === 'string' ? Buffer.from(text) : text, 'zms.properties', env)

const values = (text: string | Uint8Array, env?: Record<string, string>) =>
  Object.fromEntries([...parse(text, env).entries].map(([key, entry]) => [key, entry.value]))

describe('a properties file', () => {
  const cases: readonly (readonly [name: string, text: string, expected: Record<string, string>])[] = [
    ['equals sign', 'a.b=c', { 'a.b': 'c' }],
    ['colon', 'a.b: c', { 'a.b': 'c' }],
    ['blank', 'a.b c', { 'a.b': 'c' }],
    ['blanks around the separator', '  a.b \t =  c', { 'a.b': 'c' }],
    ['blanks at the end of a value stay', 'a=b  ', { a: 'b  ' }],
    ['a value with separators in it', 'url=jdbc:mysql://h:3306/d?a=b', { url: 'jdbc:mysql://h:3306/d?a=b' }],
    ['no value', 'a', { a: '' }],
    ['empty value', 'a=', { a: '' }],
    ['comments of both kinds, indented', '# x=1\n ! y=2\na=b', { a: 'b' }],
    ['a comment does not continue', '# x \\\na=b', { a: 'b' }],
    ['no comment behind a value', 'a=b # c', { a: 'b # c' }],
    ['continuation', 'a=b,\\\n    c,\\\n\td', { a: 'b,c,d' }],
    ['an escaped backslash does not continue', 'a=b\\\\\nc=d', { a: 'b\\', c: 'd' }],
    ['continuation at the end of the file', 'a=b\\', { a: 'b' }],
    ['continuation of a comment line is text', 'a=b\\\n#c', { a: 'b#c' }],
    ['blank lines', '\n\n  \na=b\n\n', { a: 'b' }],
    ['line ends of Windows and old Macs', 'a=b\r\nc=d\re=f', { a: 'b', c: 'd', e: 'f' }],
    ['escapes', 'a=1\\t2\\n3\\r4\\f5\\q', { a: '1\t2\n3\r4\f5q' }],
    ['escaped separators in a key', 'a\\ b\\:c\\=d=e', { 'a b:c=d': 'e' }],
    ['unicode escapes', 'a=\\u00e9\\u20AC', { a: 'é€' }],
    ['UTF-8', 'a=é€', { a: 'é€' }],
    ['a byte order mark', '\uFEFFa=b', { a: 'b' }],
    [
      'names that JavaScript objects have',
      '__proto__=a\nconstructor=b',
      JSON.parse('{"__proto__":"a","constructor":"b"}'),
    ],
  ]
  for (const [name, text, expected] of cases) {
    it(`is read as Java does: ${name}`, () => assert.deepEqual(values(text), expected))
  }

  it('is read as ISO 8859-1 when it is not UTF-8', () => {
    assert.deepEqual(values(Uint8Array.of(0x61, 0x3d, 0xe9)), { a: 'é' })
  })

  it('remembers the line on which each key starts', () => {
    const { entries } = parse('# c\na=1\\\n  2\n\nb=3')
    assert.deepEqual(
      [...entries.values()].map((entry) => entry.origin),
      ['zms.properties:2', 'zms.properties:5'],
    )
  })

  it('lets the last of two equal keys count, with a warning', () => {
    const content = parse('a=1\nb=2\na=3')
    assert.equal(content.entries.get('a')?.value, '3')
    assert.deepEqual(content.warnings, [
      'zms.properties:3: a: replaces the value set at zms.properties:1 (remove one of them)',
    ])
  })

  it('names the line of a malformed unicode escape', () => {
    const { problems } = parse('a=1\nb=C:\\users\n')
    assert.equal(problems.length, 1)
    assert.match(problems[0] ?? '', /^zms\.properties:2: malformed .*\(write a backslash as \\\\\)$/)
  })
})

describe('${NAME}', () => {
  it('is replaced by the environment variable, several times', () => {
    assert.deepEqual(values('a=user.${USER},user.${OTHER}', { USER: 'joe', OTHER: 'jane' }), {
      a: 'user.joe,user.jane',
    })
  })

  it('is not expanded a second time', () => {
    assert.deepEqual(values('a=${A}', { A: '${B}', B: 'x' }), { a: '${B}' })
  })

  it('stands for itself behind another dollar sign', () => {
    assert.deepEqual(values('a=$${USER}$x${EMPTY}', { USER: 'joe', EMPTY: '' }), { a: '${USER}$x' })
  })

  it('is left alone when it does not end', () => assert.deepEqual(values('a=${USER'), { a: '${USER' }))

  it('is a problem when the variable is not set', () => {
    const entry = parse('a=user.${USER}').entries.get('a')
    assert.equal(entry?.problem, 'environment variable USER is not set (set it, or write the value)')
  })

  it('does not find what objects inherit', () => {
    assert.match(parse('a=${toString}').entries.get('a')?.problem ?? '', /variable toString is not set/)
  })

  it('is a problem when it names no variable', () => {
    const entry = parse('a=${user.home}').entries.get('a')
    assert.match(
      entry?.problem ?? '',
      /does not name an environment variable \(write \$\$\{user\.home\} for the text itself\)/,
    )
  })
})

describe('the sources', () => {
  const folder = temporaryFolder()
  const write = (name: string, text: string) => {
    const file = join(folder, name)
    writeFileSync(file, text)
    return file
  }
  const read = async (files: string[], overrides: [string, string][] = []) =>
    readProperties({ files, overrides, env: {}, rootDir: folder })

  it('count in the order command line, further sources, files', async () => {
    const secret = write('secret.conf', 'a=source\nb=source\nc=source\n')
    const more = write('more.conf', 'b=more\nd=more\n')
    const main = write('main.properties', `a=main\nb=main\nd=main\ne=main\n`)
    const { entries, problems, warnings } = await read(
      [main],
      [
        ['a', 'first'],
        ['a', 'last'],
        ['athenz.config.source_paths', `prop-file://${secret}, prop-file://more.conf`],
      ],
    )
    assert.deepEqual(problems, [])
    assert.deepEqual(warnings, [])
    const found = ['a', 'b', 'c', 'd', 'e'].map((key) => [entries.get(key)?.value, entries.get(key)?.origin])
    assert.deepEqual(found, [
      ['last', 'command line'],
      ['source', `${secret}:2`],
      ['source', `${secret}:3`],
      ['more', `${more}:2`],
      ['main', `${main}:4`],
    ])
  })

  it('may be named in a file, and the earlier file wins', async () => {
    write('named.conf', 'x=source\n')
    const first = write('first.properties', 'y=1\nz=same\n')
    const second = write('second.properties', 'athenz.config.source_paths=prop-file://named.conf\ny=2\nz=same\n')
    const { entries, warnings } = await read([first, second])
    assert.equal(entries.get('x')?.value, 'source')
    assert.equal(entries.get('y')?.value, '1')
    assert.deepEqual(warnings, [`${second}:2: y: is not used, ${first}:1 counts (remove one of them)`])
  })

  it('are all named when they cannot be read', async () => {
    const missing = join(folder, 'missing.properties')
    const main = write('bad.properties', 'athenz.config.source_paths=aws-param-store:///x,prop-file://gone.conf\n')
    const { problems } = await read([missing, main, folder])
    assert.deepEqual(
      problems.map((line) => line.replace(/EISDIR.*/, 'EISDIR')),
      [
        `${main}:1: athenz.config.source_paths: "aws-param-store:///x" is not a source that can be read (write prop-file:///path/to/file)`,
        `${join(folder, 'gone.conf')}: the file does not exist`,
        `${missing}: the file does not exist`,
        `${folder}: cannot be read: EISDIR`,
      ],
    )
  })

  it('see the base folder as ${ROOT} unless the environment has one', async () => {
    const main = write('root.properties', 'a=${ROOT}/x\n')
    assert.equal((await read([main])).entries.get('a')?.value, `${folder}/x`)
    const other = await readProperties({ files: [main], overrides: [], env: { ROOT: '/opt' }, rootDir: folder })
    assert.equal(other.entries.get('a')?.value, '/opt/x')
  })
})
