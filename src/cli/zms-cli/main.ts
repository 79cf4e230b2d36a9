import { homedir } from 'node:os'
import { runZmsCli } from './zms-cli.ts'

process.exitCode = await runZmsCli(process.argv.slice(2), {
  env: process.env,
  home: process.env['HOME'] || homedir(),
  print: (text) => void process.stdout.write(text),
  complain: (line) => console.error(line),
})
