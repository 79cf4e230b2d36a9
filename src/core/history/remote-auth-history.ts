import { type Calls, methodsOf, remote } from '../workers/calls.ts'
import type { AuthHistoryStore } from './auth-use.ts'

const SERVICE = 'history'
const METHODS = ['record', 'ofDomain'] as const

/** Lets another process of the server keep uses in this store. */
export function serveAuthHistory(calls: Pick<Calls, 'serve'>, store: AuthHistoryStore): void {
  calls.serve(SERVICE, methodsOf(store, METHODS))
}

/** The store that another process serves. */
export const remoteAuthHistory = (calls: Pick<Calls, 'call'>): AuthHistoryStore => remote(calls, SERVICE, METHODS)

/** Whether a store of this class is one process's own, so that the others of the server have to ask that one. */
export const isKeptByOneProcess = (className: string): boolean => className === 'file'
