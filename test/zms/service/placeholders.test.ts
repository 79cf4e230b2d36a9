import assert from 'node:assert/strict'
import { test } from 'node:test'
import { array, constantFrom, dictionary, assert as holds, property, string, stringMatching } from 'fast-check'
import { placeholders } from '#zms/service/placeholders.ts'

const cases: readonly (readonly [Record<string, string>, string, string])[] = [
  [{ domain: 'sports' }, '_domain_:role.readers', 'sports:role.readers'],
  [{ domain: 'sports' }, 'no placeholder', 'no placeholder'],
  [{ domain: 'sports' }, '_other_:role', '_other_:role'],
  [{ domain: 'sports', service: 'api' }, '_domain_:service._service_', 'sports:service.api'],
  [{ domain: 'a_service_b', service: 'x' }, '_domain_._service_', 'a_service_b.x'],
  [{ domain: '_service_', service: '_domain_' }, '_domain_ _service_', '_service_ _domain_'],
  [{ a: '1', b: '2' }, '_a_b_', '1b_'],
  [{ a: '1', b: '2', a_b: '3' }, '_a_b_', '3'],
  [{ a: '1', b: '2' }, '_a__b_', '12'],
  [{ a: '1' }, '__a__', '_1_'],
  [{ '': 'x', a: '1' }, '___a_', '__1'],
  [{ a: '' }, 'x_a_y', 'xy'],
  [{ a: '1' }, '_', '_'],
  [{ a: '1' }, '', ''],
]
for (const [values, text, expected] of cases) {
  test(`${text} with ${JSON.stringify(values)}`, () => {
    assert.equal(placeholders(new Map(Object.entries(values)))(text), expected)
  })
}

test('names of the language are no placeholders', () => {
  assert.equal(placeholders(new Map())('___proto___ _constructor_'), '___proto___ _constructor_')
})

test('without values every text stays', () => {
  holds(property(string(), (text) => placeholders(new Map())(text) === text))
})

test('values that hold no underscore are filled in as one after the other would be', () => {
  const word = stringMatching(/^[a-c]{1,2}$/)
  const text = array(constantFrom('_a_', '_b_', '_ab_', 'x', ':', '.')).map((parts) => parts.join('-'))
  holds(
    property(dictionary(word, word), text, (values, template) => {
      const map = new Map(Object.entries(values))
      const simple = [...map].reduce((filled, [name, value]) => filled.replaceAll(`_${name}_`, value), template)
      assert.equal(placeholders(map)(template), simple)
    }),
  )
})
