/** A value now, or a promise of it. Request paths use it so that work without waiting takes no turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>

/** Whether something is a promise; any thenable counts. */
export const isPromise = <T>(value: MaybePromise<T>): value is Promise<T> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
