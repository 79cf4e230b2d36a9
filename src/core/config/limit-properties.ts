import { count, list, millis } from './property.ts'

/** Limits of rates: settings of ours (`athenz.ts.`); 0 is no limit. */
export const ownLimitProperties = {
  rate_limit_connections_per_second: count(200, 'New connections of one address; further ones are cut.'),
  rate_limit_address_requests_per_second: count(
    1000,
    'Requests of one address on connections without client certificate; further ones get status 429.',
  ),
  rate_limit_failures_per_minute: count(
    300,
    'Refused credentials of one address, or one client certificate; then its requests get status 429.',
  ),
  rate_limit_principal_requests_per_second: count(2000, 'Requests of one principal; further ones get status 429.'),
  rate_limit_burst_seconds: count(5, 'For how many seconds what was not used of these rates may be saved up.'),
  rate_limit_max_keys: count(200_000, 'Addresses and principals whose rates are remembered, for each limit.'),
  rate_limit_exempt: list('127.0.0.0/8,::1', 'Addresses and networks to which no limit applies.'),
}

/** When a server has more to do than it can: settings of ours (`athenz.ts.`); 0 is no limit. */
export const ownLoadProperties = {
  shed_event_loop_delay_millis: millis(
    500,
    'Standing delay of the event loop; above it a share of the requests gets status 503.',
  ),
  shed_requests_in_flight: count(2000, 'Requests that are worked on at the same time; further ones get status 503.'),
}
