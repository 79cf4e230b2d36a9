import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { principalOfSpiffeId } from '#zts/service/spiffe-principal.ts'

const of = (id: string) => principalOfSpiffeId(id, 'athenz.io')

describe('the principal of a SPIFFE id', () => {
  const ids: readonly (readonly [string, string | undefined])[] = [
    ['spiffe://athenz.io/ns/default/sa/sports.api', 'sports.api'],
    ['spiffe://athenz.io/ns/prod/sa/sports.soccer.api', 'sports.soccer.api'],
    ['SPIFFE://Athenz.IO/NS/Prod/SA/Sports.API', 'sports.api'],
    ['spiffe://athenz.io/ns/default/sa/user.alice', 'user.alice'],
    ['spiffe://sports/sa/api', 'sports.api'],
    ['spiffe://sports.soccer/sa/api', 'sports.soccer.api'],
    ['spiffe://sports/sa/soccer.api', undefined],
    ['spiffe://other.io/ns/default/sa/sports.api', undefined],
    ['spiffe://athenz.io/ns/default/sa/api', undefined],
    ['spiffe://athenz.io/ns//sa/sports.api', undefined],
    ['spiffe://athenz.io/ns/default/ra/sports.api', undefined],
    ['spiffe://athenz.io/ns/default/sa/sports.api/', undefined],
    ['spiffe://athenz.io/ns/default/sa/sports.api/more', undefined],
    ['spiffe://athenz.io/ns/default/sa/sports.api?x', undefined],
    ['spiffe://athenz.io/ns/default/sa/sports%2eapi', undefined],
    ['spiffe://sports/ra/api', undefined],
    ['spiffe:///sa/api', undefined],
    ['spiffe://sports/sa/', undefined],
    ['spiffe://', undefined],
    ['https://sports/sa/api', undefined],
    ['', undefined],
  ]
  for (const [id, name] of ids) test(`${id} is ${name ?? 'nobody'}`, () => assert.equal(of(id), name))
})
