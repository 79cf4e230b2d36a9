import { allUnsupported, count, integer, millis, signedMillis, text, unset, unsupported } from './property.ts'

/** Pool of database connections (`athenz.db.`). */
export const poolProperties = {
  pool_max_total: integer(8, 'Most connections to one database; negative = no limit.'),
  pool_max_idle: integer(8, 'Most idle connections kept; negative = no limit.'),
  pool_min_idle: count(0, 'Idle connections kept ready.'),
  pool_max_wait: signedMillis(-1, 'Longest wait for a free connection; -1 = until there is one.'),
  pool_evict_idle_timeout: signedMillis(1_800_000, 'Connections idle for longer are closed.'),
  pool_evict_idle_interval: signedMillis(1_800_000, 'How often idle connections are looked at.'),
  pool_max_ttl: signedMillis(600_000, 'Connections older than this are closed.'),
  pool_validation_query: unsupported(
    'a broken connection is noticed when it is used, and the work is repeated on another',
    text('/* ping */ SELECT 1', 'Statement that tests a connection before it is used.'),
  ),
  ...allUnsupported('there is no JDBC; the driver for MySQL and MariaDB is built in', {
    'driver.class': text(unset, 'JDBC driver class.'),
  }),
}

/** Network side of the database connections (`athenz.datastore.`). */
export const datastoreProperties = {
  network_timeout: millis(0, 'Longest wait for an answer of the database; 0 = no limit.'),
  ...allUnsupported('timeouts need no threads here', {
    timeout_threads: count(8, 'Threads that watch the network timeout.'),
  }),
}
