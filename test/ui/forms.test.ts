import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Fields } from '#ui/fields.ts'
import { commandLine } from '#ui/layout.ts'
import { noticeCookie, readNotice } from '#ui/notice-cookie.ts'
import { changedSettings, linesOf, parseLines, requireUnchanged, type Setting } from '#ui/settings-form.ts'

const SETTINGS: readonly Setting[] = [
  { name: 'text', label: 'Text', kind: 'text' },
  { name: 'days', label: 'Days', kind: 'number' },
  { name: 'on', label: 'On', kind: 'switch' },
  { name: 'list', label: 'List', kind: 'lines' },
]
const fields = (values: Record<string, string>): Fields => Fields.of(Object.entries(values))

describe('a form of settings', () => {
  it('tells what somebody has changed, and nothing else', () => {
    const same = { text: 'a', days: '3', on: 'on', list: 'x=1\r\ny=2' }
    const was = { 'was.text': 'a', 'was.days': '3', 'was.on': 'on', 'was.list': 'x=1\ny=2' }
    assert.deepEqual(changedSettings(fields({ ...same, ...was }), SETTINGS).values, {})
    const { on: _, ...off } = { ...same, text: '', days: '', list: 'x=1' }
    const changes = changedSettings(fields({ ...off, ...was }), SETTINGS)
    assert.deepEqual(changes.values, { text: '', days: 0, on: false, list: 'x=1' })
    assert.equal(changes.count, 4)
    // What takes it back changes everything back.
    assert.deepEqual(changedSettings(fields(changes.undo), SETTINGS).values, {
      text: 'a',
      days: 3,
      on: true,
      list: 'x=1\ny=2',
    })
  })

  it('is refused where somebody else has changed the same setting, in whatever way that is written', () => {
    const tags = { was: 'b=2,1\r\na=1 ', now: 'a=1\nb=1,2' }
    const form = fields({
      'was.text': 'a',
      text: 'b',
      'was.days': '',
      days: '3',
      'was.list': tags.was,
      list: '',
      'was.on': 'on',
    })
    const changes = changedSettings(form, SETTINGS)
    assert.equal(changes.count, 4)
    const now = { text: 'a', days: 0, list: tags.now, on: true }
    const check = (other: object) => requireUnchanged(form, changes, SETTINGS, { ...now, ...other })
    check({ unknown: 1 })
    for (const [other, said] of [
      [{ text: 'x' }, '“Text” meanwhile: it is “x” now'],
      [{ text: undefined }, '“Text” meanwhile: it is nothing now'],
      [{ days: 4 }, '“Days” meanwhile: it is “4” now'],
      [{ list: 'a=1' }, '“List” meanwhile: it is “a=1” now'],
      [{ on: false }, '“On” meanwhile: it is off now'],
    ] as const) {
      const message = `Somebody else has changed ${said}. Nothing has been changed; open the page again to go on from there.`
      assert.throws(() => check(other), { name: 'FormProblem', message })
    }
    // What is not changed here may be another one.
    const { days: _, 'was.days': __, ...others } = { days: '', 'was.days': '' }
    requireUnchanged(fields(others), changedSettings(fields(others), SETTINGS), SETTINGS, { days: 9 })
  })

  it('refuses numbers that are none, by their label', () => {
    for (const days of ['x', '-1', '1.5', '1e3', '0x10', '9999999999']) {
      const form = fields({ days, 'was.days': '' })
      assert.throws(() => changedSettings(form, SETTINGS), { name: 'FormProblem', field: 'days', message: /^Days: / })
    }
  })

  it('reads lines of tags as it writes them, and refuses others', () => {
    const text = 'a=1,2\n__proto__=x'
    assert.deepEqual(
      [...parseLines(` a = 1 , 2\n\n__proto__=x `, 'tags')],
      [
        ['a', ['1', '2']],
        ['__proto__', ['x']],
      ],
    )
    assert.equal(linesOf(Object.fromEntries(parseLines(text, 'tags'))), '__proto__=x\na=1,2')
    for (const bad of ['a', '=x', 'a=', 'a= , ', 'a=1\na=2']) {
      assert.throws(() => parseLines(bad, 'tags'), { name: 'FormProblem', field: 'tags' })
    }
  })
})

describe('Fields', () => {
  it('give values by name, also those that objects have by themselves', () => {
    const form = Fields.parse('a=1&a=2&b=+x+&c=&toString=y&__proto__=z&d=%3Cb%3E')
    assert.deepEqual([form.text('a'), form.list('a'), form.text('b'), form.exact('b')], ['1', ['1', '2'], 'x', ' x '])
    assert.deepEqual([form.text('c'), form.has('c'), form.has('constructor')], [undefined, true, false])
    assert.deepEqual([form.text('toString'), form.text('__proto__'), form.text('d')], ['y', 'z', '<b>'])
  })
})

describe('a notice', () => {
  const carried = (notice: Parameters<typeof noticeCookie>[0]) => readNotice(noticeCookie(notice).split(';')[0])

  it('comes to the next page with what takes it back', () => {
    const undo = { to: '/domain/a?b=c', action: 'save', fields: { x: '; é' } }
    assert.deepEqual(carried({ notice: 'Done: "ö"', undo }), { text: 'Done: "ö"', undo })
  })

  it('is cut, and comes without it, when it is too long for a cookie', () => {
    const undo = { to: '/', action: 'save', fields: { x: 'y'.repeat(5000) } }
    assert.deepEqual(carried({ notice: 'x'.repeat(900), undo }), { text: `${'x'.repeat(500)}…` })
    assert.ok(noticeCookie({ notice: 'ö'.repeat(900), undo }).length < 4096)
  })

  it('that nobody here wrote is not shown, and leads nowhere else', () => {
    for (const value of ['', 'x', '{}', '{"text":1}', '[1]', 'null']) {
      assert.equal(readNotice(`__Host-athenz-notice=${Buffer.from(value).toString('base64url')}`), undefined)
    }
    const forged = { text: 'x', undo: { to: '//evil.example', action: 'x', fields: {} } }
    const cookie = `__Host-athenz-notice=${Buffer.from(JSON.stringify(forged)).toString('base64url')}`
    assert.deepEqual(readNotice(cookie), { text: 'x' })
  })
})

describe('a command line', () => {
  it('is quoted for a shell', () => {
    assert.equal(commandLine(['domain', 'get', 'sports']), 'athenz domain get sports')
    assert.equal(commandLine(['x', "it's $(id) `id`", '']), `athenz x 'it'\\''s $(id) \`id\`' ''`)
  })
})
