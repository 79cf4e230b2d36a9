import assert from 'node:assert/strict'
import type { Harness } from './harness.ts'

/** A part of a list as it is answered. */
export interface AnsweredPage {
  // oxlint-disable-next-line typescript/no-explicit-any -- parsed JSON, of which tests read single members
  readonly list: readonly any[]
  readonly total: number
  readonly next?: string | number
}

/** All parts of a list, read one after the other. */
export async function pagesOf(zms: Harness, target: string, limit: number): Promise<AnsweredPage[]> {
  const pages: AnsweredPage[] = []
  let skip: string | number | undefined
  do {
    const query = new URLSearchParams({ limit: String(limit), ...(skip !== undefined && { skip: String(skip) }) })
    const { status, body } = await zms.get(`${target}${target.includes('?') ? '&' : '?'}${query.toString()}`)
    assert.equal(status, 200)
    const page = body as AnsweredPage
    pages.push(page)
    assert.notEqual(page.next, skip ?? null)
    skip = page.next
  } while (skip !== undefined)
  return pages
}
