/** Gives the time in epoch milliseconds. Passed to whatever needs the time, so that tests can set it. */
export type Clock = () => number

/** The clock of this machine. */
export const systemClock: Clock = () => Date.now()
