import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { html } from '#ui/html.ts'
import { definePage } from '#ui/page.ts'
import { PageIndex } from '#ui/page-index.ts'
import { PAGES } from '#ui/pages.ts'

const page = (path: string) => definePage({ path, load: () => ({ title: path, content: html`` }) })

describe('PageIndex', () => {
  const index = new PageIndex(
    ['/', '/domain/:domain', '/domain/:domain/role/:role', '/domain/:domain/role/new'].map(page),
  )
  const found = (path: string) => {
    const { page: at, params } = index.find(path) ?? {}
    return at && [at.path, params]
  }

  it('finds a page by its path, with what stands for the placeholders', () => {
    assert.deepEqual(found('/'), ['/', {}])
    assert.deepEqual(found('/domain/sports/'), ['/domain/:domain', { domain: 'sports' }])
    assert.deepEqual(found('/domain/a%2Fb/role/x%20y'), ['/domain/:domain/role/:role', { domain: 'a/b', role: 'x y' }])
  })

  it('prefers a fixed part to a placeholder', () => {
    assert.deepEqual(found('/domain/sports/role/new'), ['/domain/:domain/role/new', { domain: 'sports' }])
  })

  it('takes names of the language itself for names', () => {
    assert.deepEqual(found('/domain/__proto__'), ['/domain/:domain', { domain: '__proto__' }])
  })

  it('finds nothing where a part is empty, too much, or badly encoded', () => {
    for (const path of ['/domain', '/domain//role/x', '/domain/a/role/b/c', '/domain/%E0%A4%A', '//', '/x']) {
      assert.equal(found(path), undefined, path)
    }
  })

  it('refuses two pages at one path', () => {
    assert.throws(() => new PageIndex([page('/a/:b'), page('/a/:c')]), /two pages have the path/)
    assert.doesNotThrow(() => new PageIndex(PAGES))
  })
})
