import { cpus } from 'node:os'

/** What a figure needs beside it: the day, the processors of this machine, and the version of Node.js. */
export const machineLine = (): string =>
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores, Node ${process.version}`
