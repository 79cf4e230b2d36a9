import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { html } from '#ui/html.ts'
import { versionBadge } from '#ui/pages/templates.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { callsOf, foreignCode, repeatedIds, startWebPage, textOf } from './web-page.ts'

const NASTY = '<img src=x onerror=alert(1)>'
const file = join(temporaryFolder(), 'templates.json')
const modified = '2026-01-01T00:00:00.000Z'
const role = (name: string) => ({ name: `_domain_:role.${name}`, modified })
const policy = (name: string, resource: string) => ({
  name: `_domain_:policy.${name}`,
  modified,
  assertions: [{ role: '_domain_:role.cooks', action: 'cook', resource }],
})
const templates = {
  kitchen: {
    metadata: { description: `Pots ${NASTY}`, latestVersion: 3, keywordsToReplace: '_dish_', autoUpdate: false },
    roles: [role('cooks')],
    policies: [policy('dish__dish_', '_domain_:dish._dish_')],
  },
  plain: { metadata: { latestVersion: 1 }, roles: [role('waiters')], policies: [] },
}
writeFileSync(file, JSON.stringify({ templates }))

const { admin, joe, zms } = await startWebPage({ 'athenz.ts.further_templates_fname': file })
await zms.call('postTopLevelDomain', { body: { name: 'sports', adminUsers: ['user.admin'] } })

test('templates are listed with what the domain has of them', async () => {
  await zms.call('putDomainTemplate', { name: 'sports', body: { templateNames: ['plain'] } })
  const list = await admin.get('/domain/sports/templates')
  assert.equal(callsOf(list), 2)
  assert.deepEqual(foreignCode(list.text), [])
  assert.match(textOf(list.text), /plain version 1 1 .*kitchen 3 Pots <img src=x/)
  const found = await admin.get('/domain/sports/templates?filter=POTS')
  assert.match(textOf(found.text), /1 template,/)
})

test('one is applied with parameters, and taken out after a question that names what is lost', async () => {
  const at = '/domain/sports/template/kitchen'
  const shown = await admin.get(at)
  assert.equal(callsOf(shown), 3)
  assert.deepEqual([foreignCode(shown.text), repeatedIds(shown.text)], [[], []])
  assert.match(
    textOf(shown.text),
    /In this domain not applied .*Parameters dish .*cooks role dish__dish_ policy grant cook to sports:role\.cooks on sports:dish\._dish_/,
  )
  assert.match(textOf(shown.text), /athenz template apply sports kitchen dish=VALUE/)
  const refused = await admin.send(at, 'apply', { parameters: `dish = ${NASTY}\nno value` })
  assert.equal(refused.status, 400)
  assert.deepEqual(foreignCode(refused.text), [])
  assert.match(textOf(refused.text), /Write name = value on each line: no value/)
  assert.match(textOf(refused.text), /dish = <img src=x.* no value One name/)
  const applied = await admin.submit(at, 'apply', { parameters: 'dish = soup' })
  assert.match(textOf(applied.text), /has been applied\..*In this domain version 3/)
  const { assertions } = await zms.call('getPolicy', { domainName: 'sports', policyName: 'dish_soup' })
  assert.deepEqual(
    assertions?.map(({ resource }) => resource),
    ['sports:dish.soup'],
  )
  const question = await admin.get(`${at}/delete`)
  assert.equal(callsOf(question), 2)
  assert.match(textOf(question.text), /cannot be undone.*What is lost .*cooks role/)
  await admin.submit(`${at}/delete`, 'delete')
  assert.deepEqual((await zms.call('getDomainTemplateList', { name: 'sports' })).templateNames, ['plain'])
})

test('who may not apply one is told so, and nothing is applied', async () => {
  const refused = await joe.send('/domain/sports/template/kitchen', 'apply', { parameters: 'dish = stew' })
  assert.equal(refused.status, 403)
  assert.match(refused.text, /action=update&amp;resource=sports%3Atemplate\.kitchen/)
  assert.match(textOf(refused.text), /dish = stew/)
  const absent = await admin.get('/domain/sports/template/none')
  assert.equal(absent.status, 404)
})

test('a newer version is told of', () => {
  const text = (latestVersion: number) =>
    textOf(html`${versionBadge({ templateName: 'plain', currentVersion: 1, latestVersion })}`.toString())
  assert.deepEqual([text(1), text(2)], ['version 1', 'version 1 version 2 is there'])
})
