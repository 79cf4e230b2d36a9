import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { init } from '#zpe/init.ts'
import { Zpe } from '#zpe/zpe.ts'
import { zpeSettings } from '#zpe/zpe-options.ts'
import { readZpeProperties } from '#zpe/zpe-properties.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

async function read(text: string, env = {}) {
  const file = join(temporaryFolder(), 'zpe.properties')
  writeFileSync(file, text)
  return { file, ...(await readZpeProperties(file, env)) }
}

describe('properties of the engine', () => {
  test('are those of the original, with its defaults', async () => {
    const { options, warnings } = await read('')
    const { policyFolder, athenzConf, jwkFile, jwkCoolDownMillis, scanMillis, cleanupMillis, ...others } =
      zpeSettings(options)
    assert.deepEqual(
      [policyFolder, athenzConf, jwkFile, jwkCoolDownMillis, scanMillis, cleanupMillis],
      [
        '/home/athenz/var/zpe',
        '/home/athenz/conf/athenz/athenz.conf',
        '/var/lib/sia/athenz.conf',
        1_800_000,
        300_000,
        600_000,
      ],
    )
    const { allowedOffsetSeconds, maxCachedTokens, checkZmsSignature, jwkUrl, denyAfterExpirySeconds } = others
    assert.deepEqual(
      [allowedOffsetSeconds, maxCachedTokens, checkZmsSignature, jwkUrl, denyAfterExpirySeconds],
      [300, 10_240, false, undefined, undefined],
    )
    assert.deepEqual(warnings, [])
  })

  test('are read from a file', async () => {
    const { options, warnings } = await read(
      [
        'athenz.zpe.policy_dir=${ROOT}/policies',
        'athenz.zpe.jwk_uri=https://zts/zts/v1/oauth2/keys?rfc=true',
        'athenz.zpe.monitor_timeout_secs=60',
        'athenz.zpe.token_allowed_offset=-1',
        'athenz.zpe.x509.ca.issuers=CN=A,O=B|CN=C',
        'athenz.zpe.check_policy_zms_signature=true',
        'athenz.zpe.skip_policy_dir_check=TRUE',
        'athenz.ts.zpe.deny_after_expiry_secs=0',
        'athenz.zts.other=1',
      ].join('\n'),
      { ROOT: '/opt/athenz' },
    )
    assert.deepEqual(options, {
      root: '/opt/athenz',
      policyFolder: '/opt/athenz/policies',
      jwkUrl: 'https://zts/zts/v1/oauth2/keys?rfc=true',
      scanSeconds: 60,
      allowedOffsetSeconds: -1,
      certificateIssuers: ['CN=A,O=B', 'CN=C'],
      checkZmsSignature: true,
      skipPolicyFolder: true,
      denyAfterExpirySeconds: 0,
    })
    assert.equal(zpeSettings(options).allowedOffsetSeconds, 300)
    assert.deepEqual(warnings, [])
  })

  test('that are not known or have no effect are warned of', async () => {
    const { warnings } = await read('athenz.zpe.policydir=x\nathenz.zpe.updater_class=com.yahoo.X\n')
    assert.match(warnings[0] ?? '', /zpe\.properties:1: athenz\.zpe\.policydir: .*did you mean athenz\.zpe\.policy_dir/)
    assert.match(warnings[1] ?? '', /updater_class: has no effect: Java classes cannot be loaded/)
  })

  test('with bad values are refused, all at once', async () => {
    const bad = read('athenz.zpe.monitor_timeout_secs=soon\nathenz.zpe.jwk_uri=zts\n')
    await assert.rejects(bad, (error) => {
      assert.ok(error instanceof ConfigError)
      assert.equal(error.problems.length, 2)
      assert.match(error.problems[0] ?? '', /athenz\.zpe\.monitor_timeout_secs: "soon" is not a whole number/)
      return true
    })
    await assert.rejects(readZpeProperties('/nowhere/zpe.properties'), /the file does not exist/)
  })
})

describe('options', () => {
  test('that cannot be meant are refused', async () => {
    await assert.rejects(Zpe.open({ scanSeconds: 0 }), { name: 'RangeError', message: /^scanSeconds: 0/ })
    await assert.rejects(Zpe.open({ maxCachedTokens: -1 }), /^RangeError: maxCachedTokens: -1/)
    await assert.rejects(Zpe.open({ jwkUrl: 'file:///etc/passwd' }), /jwkUrl: file:\/\/\/etc\/passwd is no URL/)
  })

  test('need the address of keys for init', async () => {
    await assert.rejects(init({ jwkUrl: '' }), /athenz\.zpe\.jwk_uri: missing required property/)
  })
})
