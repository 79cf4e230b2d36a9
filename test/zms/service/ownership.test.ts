import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type OwnedKind, OwnershipRules } from '#zms/service/ownership.ts'

const settings = { enforce: () => true, ignoreValue: 'ignore', forceSuffix: ':force' }
const rules = new OwnershipRules(settings)

const owners = (components: Record<string, string>) => new Map(Object.entries(components))
const plain = (ownership: ReadonlyMap<string, string> | undefined) => ownership && Object.fromEntries(ownership)

const OWNED = owners({ object: 'TF', meta: 'TF', members: 'TF' })
const ALL = ['object', 'members', 'meta']
const whole = (stored: ReadonlyMap<string, string> | undefined, header: string | undefined, components = ALL) =>
  plain(rules.wholeWrite('role', 'sports:role.r1', stored, components, header))
const component = (stored: ReadonlyMap<string, string> | undefined, header: string | undefined) =>
  plain(rules.componentWrite('role', 'sports:role.r1', stored, 'members', 'member', header))
const conflict = (message: string) => ({ status: 409, message })

describe('writes of whole objects', () => {
  test('an object without owners gets them for the components of the request', () => {
    assert.deepEqual(whole(undefined, 'tf', ['object', 'meta']), { object: 'tf', meta: 'tf' })
    assert.deepEqual(whole(new Map(), 'tf'), { object: 'tf', members: 'tf', meta: 'tf' })
    assert.deepEqual(whole(undefined, 'tf:force'), { object: 'tf', members: 'tf', meta: 'tf' })
  })

  test('no header leaves an object without owners as it is', () => {
    assert.equal(whole(undefined, undefined), undefined)
    assert.equal(whole(undefined, ''), undefined)
  })

  test('its owner writes it in any letter case, and stays as stored', () => {
    assert.equal(whole(OWNED, 'TF'), undefined)
    assert.equal(whole(OWNED, 'tf'), undefined)
  })

  test('nobody and others are refused, by the first of its components', () => {
    const refused = (stored: Map<string, string>, header: string | undefined, message: string) =>
      assert.throws(() => whole(stored, header), conflict(message))
    refused(OWNED, undefined, 'Invalid resource owner for role: sports:role.r1, TF vs. null')
    refused(OWNED, 'ui', 'Invalid resource owner for role: sports:role.r1, TF vs. ui')
    refused(owners({ members: 'M' }), 'ui', 'Invalid members owner for role: sports:role.r1, M vs. ui')
    refused(owners({ object: 'ui', meta: 'M' }), 'ui', 'Invalid meta owner for role: sports:role.r1, M vs. ui')
  })

  test('owners of components that the request does not carry matter too: the write empties these', () => {
    assert.throws(
      () => whole(owners({ object: 'tf', members: 'ui' }), 'tf', ['object', 'meta']),
      conflict('Invalid members owner for role: sports:role.r1, ui vs. tf'),
    )
    assert.deepEqual(whole(owners({ object: 'tf', members: 'ui' }), 'tf:force', ['object', 'meta']), {
      object: 'tf',
      members: 'tf',
      meta: 'tf',
    })
    assert.deepEqual(whole(owners({ meta: 'tf' }), 'tf', ['object', 'meta']), {
      object: 'tf',
      members: 'tf',
      meta: 'tf',
    })
  })

  test('components without an owner get that of the request, none without a header', () => {
    assert.deepEqual(whole(owners({ object: 'tf' }), 'TF'), { object: 'TF', members: 'TF', meta: 'TF' })
    assert.equal(whole(owners({ other: 'tf' }), undefined), undefined)
  })

  test('force takes an object over, without the suffix; the suffix is taken by its letters', () => {
    assert.deepEqual(whole(OWNED, 'ui:force'), { object: 'ui', meta: 'ui', members: 'ui' })
    assert.equal(whole(OWNED, 'TF:force'), undefined, 'who owns it already')
    assert.deepEqual(whole(OWNED, 'tf:force'), { object: 'tf', meta: 'tf', members: 'tf' }, 'in other letters')
    assert.throws(
      () => whole(OWNED, 'ui:FORCE'),
      conflict('Invalid resource owner for role: sports:role.r1, TF vs. ui:FORCE'),
    )
  })

  const words: [OwnedKind, string, string][] = [
    ['domain', 'meta', 'Invalid meta owner for domain: n, a vs. b'],
    ['group', 'members', 'Invalid members owner for group: n, a vs. b'],
    ['group', 'meta', 'Invalid meta owner for group: n, a vs. b'],
    ['policy', 'object', 'Invalid resource owner for policy: n, a vs. b'],
    ['policy', 'assertions', 'Invalid assertions owner for policy: n, a vs. b'],
    ['service', 'publickeys', 'Invalid public-keys owner for service: n, a vs. b'],
    ['service', 'hosts', 'Invalid hosts owner for service: n, a vs. b'],
  ]
  for (const [kind, name, message] of words) {
    test(`${kind}, ${name}: ${message}`, () => {
      assert.throws(() => rules.wholeWrite(kind, 'n', owners({ [name]: 'a' }), [name], 'b'), conflict(message))
    })
  }
})

describe('writes of components', () => {
  test('a component without an owner gets one, and the others keep theirs', () => {
    assert.deepEqual(component(undefined, 'ui'), { members: 'ui' })
    assert.deepEqual(component(owners({ meta: 'tf' }), 'ui'), { meta: 'tf', members: 'ui' })
    assert.equal(component(owners({ meta: 'tf' }), undefined), undefined)
  })

  test('the owner writes it in any letter case', () => {
    assert.equal(component(OWNED, 'tf'), undefined)
  })

  test('nobody and others are refused', () => {
    assert.throws(() => component(OWNED, undefined), conflict('Role has a resource owner: TF'))
    const message = 'Invalid resource member owner for role: sports:role.r1, TF vs. ui'
    assert.throws(() => component(OWNED, 'ui'), conflict(message))
    for (const kind of ['domain', 'group', 'policy', 'service'] as const) {
      const title = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`
      assert.throws(
        () => rules.componentWrite(kind, 'n', owners({ meta: 'a' }), 'meta', 'meta', undefined),
        conflict(`${title} has a resource owner: a`),
      )
    }
  })

  test('the settings of a domain have no word of their own', () => {
    assert.throws(
      () => rules.componentWrite('domain', 'n', owners({ meta: 'a' }), 'meta', undefined, 'b'),
      conflict('Invalid resource owner for domain: n, a vs. b'),
    )
  })

  test('force takes the component over', () => {
    assert.deepEqual(component(OWNED, 'ui:force'), { object: 'TF', meta: 'TF', members: 'ui' })
    assert.deepEqual(component(OWNED, 'tf:force'), { object: 'TF', meta: 'TF', members: 'tf' })
    assert.equal(component(OWNED, 'TF:force'), undefined)
  })
})

describe('deletions', () => {
  test('the owner, and everybody where there is none', () => {
    rules.deletion(OWNED, 'object', 'tf')
    rules.deletion(OWNED, 'object', 'tf:force')
    rules.deletion(undefined, 'object', undefined)
    rules.deletion(owners({ meta: 'a' }), 'object', 'ui')
    rules.deletion(owners({ meta: 'a' }), 'members', undefined)
  })

  test('nobody and others are refused', () => {
    const refused = (header: string | undefined, message: string) =>
      assert.throws(() => rules.deletion(OWNED, 'members', header), conflict(message))
    refused(undefined, 'Invalid resource owner for object: TF vs. null')
    refused('', 'Invalid resource owner for object: TF vs. null')
    refused('ui', 'Invalid resource owner for object: TF vs. ui')
    refused('ui:force', 'Invalid resource owner for object: TF vs. ui')
  })
})

describe('where the rules do not apply', () => {
  const free = (header: string | undefined, some: OwnershipRules) => {
    assert.equal(some.wholeWrite('role', 'n', OWNED, ALL, header), undefined)
    assert.equal(some.wholeWrite('role', 'n', undefined, ALL, header), undefined)
    assert.equal(some.componentWrite('role', 'n', OWNED, 'meta', 'meta', header), undefined)
    assert.equal(some.componentWrite('role', 'n', undefined, 'meta', 'meta', header), undefined)
    some.deletion(OWNED, 'object', header)
  }

  test('the value that says so, in any letter case', () => {
    free('ignore', rules)
    free('IGNORE', rules)
    free('none', new OwnershipRules({ ...settings, ignoreValue: 'None' }))
  })

  test('enforcement is off, which may change at any time', () => {
    let enforced = false
    const switched = new OwnershipRules({ ...settings, enforce: () => enforced })
    free('ui', switched)
    free(undefined, switched)
    enforced = true
    assert.throws(() => switched.deletion(OWNED, 'object', 'ui'), { status: 409 })
  })

  test('an empty suffix forces nothing', () => {
    const unforced = new OwnershipRules({ ...settings, forceSuffix: '' })
    assert.throws(() => unforced.deletion(OWNED, 'object', 'ui:force'), { status: 409 })
  })
})
