import { readFileSync } from 'node:fs'

/**
 * Loaded before a server: its clock goes wrong by as many milliseconds as the file says that `FAULT_CLOCK` names. The clock
 * that does not jump (`performance.now`, timers) is left alone, as with a real machine.
 */
const LOOK_MILLIS = 10
const file = process.env['FAULT_CLOCK'] ?? ''
const realNow = Date.now.bind(Date)
let shiftMillis = 0

setInterval(() => {
  try {
    shiftMillis = Number(readFileSync(file, 'utf8')) || 0
  } catch {
    shiftMillis = 0
  }
}, LOOK_MILLIS).unref()

const now = () => realNow() + shiftMillis
globalThis.Date = new Proxy(Date, {
  construct: (target, args: unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
  apply: (target) => new target(now()).toString(),
  get: (target, key, receiver) => (key === 'now' ? now : (Reflect.get(target, key, receiver) as unknown)),
})
