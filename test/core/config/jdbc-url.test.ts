import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseJdbcUrl } from '#core/config/jdbc-url.ts'

const parsed = (text: string) => {
  const result = parseJdbcUrl(text)
  assert.ok(result.ok, result.ok ? '' : result.reason)
  return { ...result.url, options: Object.fromEntries(result.url.options) }
}

const reason = (text: string) => {
  const result = parseJdbcUrl(text)
  assert.ok(!result.ok, 'the URL is accepted')
  return result.reason
}

describe('a database URL', () => {
  const accepted: readonly (readonly [text: string, expected: Record<string, unknown>])[] = [
    ['jdbc:mysql://db.example.com:3307/zms_server', { host: 'db.example.com', port: 3307, database: 'zms_server' }],
    ['jdbc:mysql://db/zms_server', { host: 'db', port: 3306, database: 'zms_server' }],
    ['JDBC:MySQL://db/zms_server', { host: 'db', port: 3306, database: 'zms_server' }],
    ['jdbc:mariadb://127.0.0.1:3306/zms', { host: '127.0.0.1', port: 3306, database: 'zms' }],
    ['jdbc:mysql://[::1]:3306/zms', { host: '::1', port: 3306, database: 'zms' }],
    ['jdbc:mysql://[fe80::1]/zms', { host: 'fe80::1', port: 3306, database: 'zms' }],
    [
      'jdbc:mysql://a,b:3307,[::1]:3308/zms',
      {
        host: 'a',
        port: 3306,
        furtherHosts: [
          { host: 'b', port: 3307 },
          { host: '::1', port: 3308 },
        ],
        database: 'zms',
      },
    ],
    [
      'mysql://joe:p,w@a,b/zms',
      {
        host: 'a',
        port: 3306,
        furtherHosts: [{ host: 'b', port: 3306 }],
        database: 'zms',
        user: 'joe',
        password: 'p,w',
      },
    ],
    [
      'jdbc:mysql://db/zms?useSSL=true&connectTimeout=5000&flag',
      { host: 'db', port: 3306, database: 'zms', options: { useSSL: 'true', connectTimeout: '5000', flag: 'true' } },
    ],
    ['jdbc:mysql://db/zms?sslMode=REQUIRED', { host: 'db', port: 3306, database: 'zms', encryption: 'required' }],
    ['jdbc:mysql://db/zms?sslmode=verify_ca', { host: 'db', port: 3306, database: 'zms', encryption: 'verified' }],
    ['jdbc:mariadb://db/zms?sslMode=verify-full', { host: 'db', port: 3306, database: 'zms', encryption: 'verified' }],
    ['jdbc:mysql://db/zms?sslMode=DISABLED', { host: 'db', port: 3306, database: 'zms' }],
    [
      'jdbc:mysql://db/zms?sslMode=PREFERRED',
      { host: 'db', port: 3306, database: 'zms', options: { sslMode: 'PREFERRED' } },
    ],
    ['mysql://joe:p%40ss%3A@db:3306/zms', { host: 'db', port: 3306, database: 'zms', user: 'joe', password: 'p@ss:' }],
    ['mysql://joe:p@ss@db/zms', { host: 'db', port: 3306, database: 'zms', user: 'joe', password: 'p@ss' }],
    ['mysql://joe@db/zms', { host: 'db', port: 3306, database: 'zms', user: 'joe' }],
    ['mysql://joe:@db/zms', { host: 'db', port: 3306, database: 'zms', user: 'joe', password: '' }],
    [
      'jdbc:mysql://db/zms?user=joe&password=a%26b',
      { host: 'db', port: 3306, database: 'zms', user: 'joe', password: 'a&b' },
    ],
    [
      'jdbc:mysql://db/zms?__proto__=x',
      { host: 'db', port: 3306, database: 'zms', options: JSON.parse('{"__proto__":"x"}') },
    ],
  ]
  for (const [text, expected] of accepted) {
    it(`is read: ${text}`, () => assert.deepEqual(parsed(text), { options: {}, ...expected }))
  }

  const refused: readonly (readonly [text: string, reason: RegExp])[] = [
    ['', /not the URL of a MySQL database/],
    ['jdbc:postgresql://db/zms', /not the URL of a MySQL database \(write jdbc:mysql:\/\/host:3306\/database\)/],
    ['db:3306/zms', /not the URL of a MySQL database/],
    ['jdbc:mysql:db/zms', /"\/\/" is missing after jdbc:mysql:/],
    ['jdbc:mysql:replication://a,b/zms', /failover and load balancing/],
    ['jdbc:mysql:loadbalance://a,b/zms', /failover and load balancing/],
    ['jdbc:mysql://address=(host=a)/zms', /hosts are written as host:port, separated by commas/],
    ['jdbc:mysql://(host=a,port=1),b/zms', /hosts are written as host:port, separated by commas/],
    ['jdbc:mysql://a,/zms', /no host is named/],
    ['jdbc:mysql://a,b:0/zms', /port/],
    ['jdbc:mysql://db:3306', /no database is named/],
    [
      'jdbc:mysql://db/zms?sslMode=yes',
      /^sslMode is none of DISABLED, PREFERRED, REQUIRED, VERIFY_CA and VERIFY_IDENTITY$/,
    ],
    ['jdbc:mysql://db:3306/', /no database is named/],
    ['jdbc:mysql:///zms', /no host is named/],
    ['jdbc:mysql://:3306/zms', /no host is named/],
    ['jdbc:mysql://db:0/zms', /port/],
    ['jdbc:mysql://db:65536/zms', /port/],
    ['jdbc:mysql://db:33x6/zms', /port/],
    ['jdbc:mysql://fe80::1/zms', /port|host/],
    ['jdbc:mysql://[::1/zms', /host/],
    ['jdbc:mysql://d b/zms', /host/],
    ['jdbc:mysql://db/zms%zz', /percent-encoded/],
    ['jdbc:mysql://db/a/b', /database name/],
    ['jdbc:mysql://db/zms?=x', /option/],
    ['jdbc:mysql://db/zms?a=%zz', /option/],
    ['mysql://jo%zz:x@db/zms', /user or password/],
  ]
  for (const [text, expected] of refused) {
    it(`is refused: ${text || '(empty)'}`, () => assert.match(reason(text), expected))
  }

  for (const text of [
    'mysql://joe:s3cret/zms',
    'mysql://joe:s3cret%zz@db/zms',
    'mysql://joe:x/s3cret@db/zms',
    'jdbc:mysql://db:s3cret/zms',
    'jdbc:mysql://db/zms?password=s3cret%zz',
    's3cret://db/zms',
  ]) {
    it(`never repeats what may be a password: ${text}`, () => assert.doesNotMatch(reason(text), /s3cret/))
  }
})
