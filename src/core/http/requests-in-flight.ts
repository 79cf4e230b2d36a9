/**
 * Where a request is on its way: `arriving` until all of it is there, `working` while the server has work with it,
 * `waiting` when its client asked to be answered only when there is news.
 */
export type RequestPhase = 'arriving' | 'working' | 'waiting'

/** Requests without an answer, by where they are on their way. */
export type RequestsInFlight = { [Phase in RequestPhase]: number }

/** The counts of a server that has just been made. */
export const noRequestsInFlight = (): RequestsInFlight => ({ arriving: 0, working: 0, waiting: 0 })
