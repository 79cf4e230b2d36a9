import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { runCommand } from './command-failure.ts'
import {
  type ControlOptions,
  reportStatus,
  restartInBackground,
  runInForeground,
  startInBackground,
  stopInBackground,
} from './server-control.ts'
import { PROJECT_FOLDER, type ServerKind } from './server-kind.ts'
import { collectSetting } from './setting.ts'

type Action = (kind: ServerKind, options: ControlOptions) => Promise<number>

interface ActionRow {
  readonly name: string
  readonly description: string
  readonly action: Action
  readonly takesSettings: boolean
  /** How long it waits when --timeout is not given; absent where it does not wait. */
  readonly timeoutSeconds?: number
}

// Stopping takes as long as requests in flight may: 30 s unless athenz.graceful_shutdown_timeout says otherwise.
const ACTIONS: readonly ActionRow[] = [
  {
    name: 'start',
    description: 'start the server in the background and wait until it answers',
    action: startInBackground,
    takesSettings: true,
    timeoutSeconds: 60,
  },
  {
    name: 'stop',
    description: 'stop it and wait until it has finished its requests',
    action: stopInBackground,
    takesSettings: false,
    timeoutSeconds: 40,
  },
  {
    name: 'restart',
    description: 'stop it, then start it',
    action: restartInBackground,
    takesSettings: true,
    timeoutSeconds: 60,
  },
  {
    name: 'status',
    description: 'say whether it runs: process, port, uptime, health; exit status 0 = runs, 1 = died, 3 = stopped',
    action: reportStatus,
    takesSettings: false,
  },
  {
    name: 'run',
    description: 'run it in the foreground, for a supervisor or a container',
    action: runInForeground,
    takesSettings: true,
  },
]

/** Options as the command line gives them. */
interface Given {
  readonly root: string
  readonly define?: ReadonlyMap<string, string>
  readonly timeout?: number
}

/** The command that operates one server: `zms start|stop|restart|status|run`. */
export function serverCommand(kind: ServerKind): Command {
  const program = new Command(kind.name).description(`Operates ${kind.title}.`)
  for (const row of ACTIONS) {
    const command = program
      .command(row.name)
      .description(row.description)
      .option('--root <folder>', 'folder that holds conf and var', PROJECT_FOLDER)
    if (row.takesSettings) {
      command.option('-D, --define <key=value>', 'property that wins over the files; may be repeated', collectSetting)
    }
    if (row.timeoutSeconds !== undefined) {
      command.option('--timeout <seconds>', 'longest wait', parseSeconds, row.timeoutSeconds)
    }
    command.action(async ({ root, define = new Map(), timeout = 0 }: Given) => {
      const options = { root: resolve(root), settings: define, timeoutMillis: timeout * 1000 }
      await runCommand(`${kind.name} ${row.name}`, () => row.action(kind, options))
    })
  }
  return program
}

function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (!/^\d{1,6}$/.test(text) || seconds === 0) throw new InvalidArgumentError('Write a number of seconds from 1 on.')
  return seconds
}
