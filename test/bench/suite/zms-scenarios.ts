import type { Scenario } from './scenario.ts'
import type { Size } from './sizes.ts'
import { ordinaryDomains, SIZED_ROLE, sizedDomainName, sizedResource } from './suite-data.ts'

/** A time after all changes: whoever has seen that has nothing to fetch. */
const LATER = '"2099-01-01T00:00:00.000Z"'

/** Access checks go to all domains in turn, but where roles or policies are large, to the domain that has these. */
const accessCheck: Scenario = {
  name: 'access-check',
  server: 'zms',
  axes: ['domains'],
  stores: 'each',
  load: ({ base }, { domains }) => ({
    urls: ordinaryDomains(domains).map((name) => `${base}/access/read/${name}:table3.row`),
    expected: [200],
  }),
}

const sizedAccessCheck: Scenario = {
  name: 'access-check/sized',
  server: 'zms',
  axes: ['members', 'assertions'],
  stores: 'each',
  load: ({ base }, size) => ({ urls: [`${base}/access/read/${sizedResource(size)}`], expected: [200] }),
}

/** A role of five members, two of them others each time. */
const roleWrite: Scenario = {
  name: 'role-write',
  server: 'zms',
  axes: ['domains'],
  stores: 'each',
  load: ({ base }, size) => ({
    method: 'PUT',
    urls: [`${base}/domain/${sizedDomainName(size)}/role/written`],
    body: JSON.stringify({
      name: 'written',
      roleMembers: ['user.a', 'user.b', 'user.c', 'user.d{i}', 'user.e{i}'].map((memberName) => ({ memberName })),
    }),
    expected: [204],
  }),
}

/** A new membership each time, of a role with as many members as the size says. */
const membershipWrite: Scenario = {
  name: 'membership-write',
  server: 'zms',
  axes: ['domains', 'members'],
  stores: 'each',
  load: ({ base }, size) => ({
    method: 'PUT',
    urls: [`${base}/domain/${sizedDomainName(size)}/role/${SIZED_ROLE}/member/user.m{i}`],
    body: JSON.stringify({ memberName: 'user.m{i}' }),
    expected: [204],
  }),
}

const domainRead: Scenario = {
  name: 'domain-read',
  server: 'zms',
  axes: ['domains'],
  stores: 'each',
  load: ({ base }, { domains }) => ({
    urls: ordinaryDomains(domains).map((name) => `${base}/domain/${name}`),
    expected: [200],
  }),
}

/** The whole list of domains, as a server asks for it when it starts. */
const domainList: Scenario = {
  name: 'domain-sync/list',
  server: 'zms',
  axes: ['domains'],
  stores: 'each',
  load: ({ base }) => ({ urls: [`${base}/sys/modified_domains?metaonly=true`], expected: [200] }),
}

/** What servers ask all the time. */
const noNews: Scenario = {
  name: 'domain-sync/no-news',
  server: 'zms',
  axes: ['domains'],
  stores: 'each',
  load: ({ base }) => ({ urls: [`${base}/sys/modified_domains?metaonly=true`], tag: LATER, expected: [304] }),
}

const signedDomain: Scenario = {
  name: 'domain-sync/signed',
  server: 'zms',
  axes: ['domains'],
  stores: 'each',
  load: ({ base }, { domains }) => ({
    urls: ordinaryDomains(domains).map((name) => `${base}/sys/modified_domains?domain=${name}`),
    expected: [200],
  }),
}

const jwsDomain: Scenario = {
  name: 'domain-sync/jws',
  server: 'zms',
  axes: ['domains'],
  stores: 'each',
  load: ({ base }, size) => ({ urls: jwsDomains(base, size), expected: [200] }),
}

const sameJwsDomain: Scenario = {
  name: 'domain-sync/jws-same',
  server: 'zms',
  axes: ['domains'],
  stores: 'each',
  load: ({ base }, size) => ({ urls: jwsDomains(base, size), tag: LATER, expected: [304] }),
}

const jwsDomains = (base: string, { domains }: Size): string[] =>
  ordinaryDomains(domains).map((name) => `${base}/domain/${name}/signed`)

/** Requests to ZMS, reading ones first. */
export const ZMS_SCENARIOS: readonly Scenario[] = [
  accessCheck,
  sizedAccessCheck,
  domainRead,
  domainList,
  noNews,
  signedDomain,
  jwsDomain,
  sameJwsDomain,
  roleWrite,
  membershipWrite,
]
