import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { html, path, withQuery } from '#ui/html.ts'

describe('html', () => {
  it('escapes every value, in elements and in quoted attributes', () => {
    const evil = `<script>alert("1")</script>&'\``
    const safe = '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;&#96;'
    assert.equal(html`<p title="${evil}">${evil}</p>`.toString(), `<p title="${safe}">${safe}</p>`)
  })

  it('writes HTML as it is, lists one after the other, and nothing for what is absent', () => {
    const items = ['a', '<b>'].map((each) => html`<li>${each}</li>`)
    assert.equal(
      html`<ul>${items}</ul>${undefined}${null}${false}${0}`.toString(),
      '<ul><li>a</li><li>&lt;b&gt;</li></ul>0',
    )
  })

  it('refuses a value in an attribute without quotes', () => {
    assert.throws(() => html`<p title=${'x onclick=y'}>`, /an attribute has no quotes/)
    assert.doesNotThrow(() => html`<a href="/a?b=${'c'}">x</a>`)
  })
})

describe('path and withQuery', () => {
  it('keep a value within its part of the path, or of the query', () => {
    assert.equal(path`/domain/${'a/../b?c#d%'}/role/${'x y'}`, '/domain/a%2F..%2Fb%3Fc%23d%25/role/x%20y')
    assert.equal(
      withQuery('/access', { action: 'a&b=c', resource: undefined, principal: '' }),
      '/access?action=a%26b%3Dc',
    )
    assert.equal(withQuery('/access', {}), '/access')
  })
})
