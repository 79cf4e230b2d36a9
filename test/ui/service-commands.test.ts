import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificateSection, launchQuestion } from '#ui/service-commands.ts'
import type { HeldAssertion } from '#zms/api/access-search.ts'
import { textOf } from './web-page.ts'

const place = { domainName: 'sports', serviceName: 'api' }
const service = { publicKeys: [{ id: 'v1', key: 'x' }] }
const known = { ztsUrl: 'https://zts.example.com/zts/v1', ztsCaFile: '/etc/a b.pem', dnsSuffix: 'example.cloud' }
const unknown = { ztsUrl: undefined, ztsCaFile: undefined, dnsSuffix: undefined }
const nobody = { list: [], total: 0 }
const shown = (...args: Parameters<typeof certificateSection>) => certificateSection(...args).toString()
/** The lines that are marked by a click. */
const lines = (page: string) =>
  [...page.matchAll(/<pre class="copied"[^>]*>(.*?)<\/pre>/gs)].map(([, line = '']) => textOf(line))

const launcher: HeldAssertion = {
  policy: 'launchers',
  version: '0',
  id: 7,
  effect: 'ALLOW',
  role: 'sports:role.launchers',
  action: 'launch',
  resource: 'sports:service.*',
  roles: [{ role: 'sports:role.launchers', memberCount: 1, members: ['cloud.provider'] }],
  roleCount: 1,
}

test('a service with a key has lines that can be used as they are', () => {
  const page = shown(place, service, known, nobody)
  assert.deepEqual(lines(page).slice(0, 4), [
    'openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out api.key.pem',
    'openssl pkey -in api.key.pem -pubout',
    "bin/zts-svccert -zts https://zts.example.com/zts/v1 -cacert '/etc/a b.pem' -domain sports -service api" +
      ' -private-key api.key.pem -key-version v1 -dns-domain example.cloud -cert-file api.cert.pem',
    "athenz sia --zts https://zts.example.com/zts/v1 --ca-file '/etc/a b.pem' --domain sports --service api" +
      ' --key-file api.key.pem --key-id v1 --dns-domain example.cloud --folder api.sia',
  ])
  assert.doesNotMatch(textOf(page), /in capitals/)
})

test('what is not known is in capitals, and said to be', () => {
  const page = shown(place, {}, unknown, nobody)
  assert.match(textOf(page), /what is in capitals is still to be known/)
  const [, , once = ''] = lines(page)
  assert.equal(
    once,
    'bin/zts-svccert -zts https://ZTS-HOST:8443/zts/v1 -domain sports -service api -private-key api.key.pem' +
      ' -key-version KEY-ID -dns-domain DNS-SUFFIX -cert-file api.cert.pem',
  )
})

test('who may launch it is told, administrators apart', () => {
  assert.deepEqual(launchQuestion(place), { domainName: 'sports', action: 'launch', resource: 'sports:service.api' })
  const admins = { ...launcher, policy: 'admin', role: 'sports:role.admin', action: '*', resource: 'sports:*' }
  const page = shown(place, service, known, { list: [admins, launcher], total: 2 })
  assert.match(textOf(page), /Who may launch it .* ALLOW sports:role\.launchers cloud\.provider launchers/)
  assert.doesNotMatch(page, /role\.admin/)
  assert.match(page, /href="\/domain\/sports\/policy\/launchers"/)
  assert.equal(lines(page).length, 4)
})

test('where no provider may, commands let one do it', () => {
  const page = shown(place, service, known, nobody)
  assert.match(textOf(page), /No provider may launch it\. These let one do it:/)
  assert.deepEqual(lines(page).slice(4), [
    'athenz role create sports api-providers --member PROVIDER-SERVICE',
    "athenz policy create sports api-providers 'grant launch to api-providers on service.api'",
  ])
})
