import { setTimeout as pause } from 'node:timers/promises'
import { runCommand } from './command-failure.ts'
import { FlagFailure, flagLines, readFlags } from './tools/flags.ts'
import { ZPU_FLAGS, zpu } from './zpu-run.ts'

const BAD_FLAG = 2

await runCommand('zpu', async () => {
  const env = process.env
  try {
    const flags = readFlags(ZPU_FLAGS(env['ROOT'] || '/home/athenz'), process.argv.slice(2))
    if (typeof flags === 'string') {
      console.log(helpText())
      return 0
    }
    const stopping = new AbortController()
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort())
    return await zpu(flags, {
      env,
      print: (text) => console.log(text),
      complain: (line) => console.error(line),
      wait: (millis, signal) => pause(millis, undefined, { signal }),
      random: Math.random,
      clock: () => Date.now(),
      stopping: stopping.signal,
    })
  } catch (error) {
    if (!(error instanceof FlagFailure)) throw error
    console.error(`${error.message}\n${helpText()}`)
    return BAD_FLAG
  }
})

function helpText(): string {
  const lines = flagLines(ZPU_FLAGS('/home/athenz'))
  return ['Brings signed policies from ZTS to the files of policy engines.', 'usage: zpu [flags]', '', ...lines].join(
    '\n',
  )
}
