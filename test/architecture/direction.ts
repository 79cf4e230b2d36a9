import type { Source } from './sources.ts'

/** What the files of one room may import. */
export interface Room {
  /** The room's files: those whose path begins with this. The longest match counts. */
  readonly prefix: string
  /** Beginnings of project paths that it may import besides its own. */
  readonly mayImport: readonly string[]
  /** Beginnings of project paths that it may not import although they begin with one of those above. */
  readonly except?: readonly string[]
  /** Packages and `node:` modules that it may not import; `node:` stands for every module that does I/O. */
  readonly without?: readonly string[]
  /** When given, the only packages that it may import. */
  readonly onlyPackages?: readonly string[]
}

/** Modules that reach out of the process; pure rooms import none of them. */
const INPUT_OUTPUT = [
  'node:child_process',
  'node:cluster',
  'node:dgram',
  'node:dns',
  'node:fs',
  'node:http',
  'node:http2',
  'node:https',
  'node:net',
  'node:tls',
  'node:worker_threads',
  'fastify',
  'koffi',
  'mysql2',
  'pino',
  'undici',
]

const DATABASE = ['mysql2']
/** Where stores keep what they keep. */
const STORE_KINDS = ['file', 'mysql', 'memory']
const WEB = ['fastify', 'node:http', 'node:https', 'src/core/http']

/** The rooms of `src`, from the inside to the outside. Dependencies point one way only. */
export const ROOMS: readonly Room[] = [
  { prefix: 'src/core/error/', mayImport: [], without: INPUT_OUTPUT },
  { prefix: 'src/core/names/', mayImport: ['src/core/error/'], without: INPUT_OUTPUT },
  { prefix: 'src/core/rbac/', mayImport: ['src/core/error/', 'src/core/names/'], without: INPUT_OUTPUT },
  { prefix: 'src/core/token/', mayImport: ['src/core/'], except: ['src/core/http/'], without: INPUT_OUTPUT },
  { prefix: 'src/core/', mayImport: ['src/core/'] },
  ...['zms', 'zts'].flatMap((server): Room[] => [
    { prefix: `src/${server}/api/`, mayImport: ['src/core/'], onlyPackages: ['zod'], without: INPUT_OUTPUT },
    {
      prefix: `src/${server}/store/`,
      mayImport: ['src/core/'],
      except: ['src/core/http/'],
      without: [...DATABASE, ...WEB],
    },
    ...STORE_KINDS.map(
      (kind): Room => ({
        prefix: `src/${server}/store/${kind}/`,
        mayImport: ['src/core/', `src/${server}/store/`],
        except: ['file', 'mysql'].filter((other) => other !== kind).map((other) => `src/${server}/store/${other}/`),
        without: kind === 'mysql' ? WEB : [...DATABASE, ...WEB],
      }),
    ),
    {
      prefix: `src/${server}/service/`,
      mayImport: ['src/core/', ...['api', 'cache', 'cert', 'store'].map((room) => `src/${server}/${room}/`)],
      except: STORE_KINDS.map((kind) => `src/${server}/store/${kind}/`),
      without: DATABASE,
    },
    // The files beside these folders put the server together.
    {
      prefix: `src/${server}/`,
      mayImport: ['src/core/', `src/${server}/`, ...(server === 'zts' ? ['src/client/'] : [])],
      except: [`src/${server}/main.ts`],
      without: DATABASE,
    },
  ]),
  // Tells people what is in the data; how that reaches them is the business of core/notification.
  {
    prefix: 'src/zms/notification/',
    mayImport: ['src/core/', 'src/zms/service/', 'src/zms/store/'],
    except: [...STORE_KINDS.map((kind) => `src/zms/store/${kind}/`), 'src/core/http/'],
    without: [...DATABASE, ...WEB],
  },
  // Moves data between stores while no server has them: it knows every store and nothing of requests.
  { prefix: 'src/zms/transfer/', mayImport: ['src/core/', 'src/zms/store/'], without: [...DATABASE, ...WEB] },
  // What is in memory knows nothing of where it comes from.
  { prefix: 'src/zts/cache/', mayImport: ['src/core/'], without: INPUT_OUTPUT },
  {
    prefix: 'src/zts/notification/',
    mayImport: ['src/core/', 'src/zts/cache/', 'src/zts/store/'],
    except: [...STORE_KINDS.map((kind) => `src/zts/store/${kind}/`), 'src/core/http/'],
    without: [...DATABASE, ...WEB],
  },
  { prefix: 'src/zts/sync/', mayImport: ['src/core/', 'src/zts/cache/'], without: DATABASE },
  {
    prefix: 'src/zts/cert/',
    mayImport: ['src/core/', 'src/zts/cache/'],
    without: DATABASE,
  },
  { prefix: 'src/client/', mayImport: ['src/core/', 'src/zms/api/', 'src/zts/api/'], without: DATABASE },
  // The agent is a user of the client library.
  { prefix: 'src/sia/', mayImport: ['src/core/', 'src/client/'], without: DATABASE },
  { prefix: 'src/zpe/', mayImport: ['src/core/', 'src/client/', 'src/zts/api/'], without: DATABASE },
  // The updater verifies what it brings as the engine does that reads it.
  { prefix: 'src/zpu/', mayImport: ['src/core/', 'src/client/', 'src/zpe/'], without: DATABASE },
  {
    prefix: 'src/cli/',
    mayImport: [
      'src/core/',
      'src/client/',
      'src/sia/',
      'src/zpe/',
      'src/zpu/',
      'src/zms/api/',
      'src/zts/api/',
      'src/zms/transfer/',
      'src/zms/notification/preview.ts',
      'src/zms/open-queries.ts',
      'src/ui/sign-in-link.ts',
    ],
  },
  // The page holds no data and has no rights: it is a user of the client library.
  {
    prefix: 'src/ui/',
    mayImport: ['src/core/', 'src/client/', 'src/zms/api/'],
    except: ['src/core/database/', 'src/core/authority/', 'src/core/audit/'],
    without: DATABASE,
  },
]

/** Every import that points the wrong way, as `FILE imports MODULE`. */
export function wrongImports(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const room = roomOf(source.path)
    if (room === undefined) return [`${source.path} is in no room`]
    return source.imports
      .filter((module) => !isAllowed(room, module))
      .map((module) => `${source.path} imports ${module}`)
  })
}

function roomOf(path: string): Room | undefined {
  const rooms = ROOMS.filter(({ prefix }) => path.startsWith(prefix))
  return rooms.toSorted((a, b) => b.prefix.length - a.prefix.length)[0]
}

function isAllowed(room: Room, module: string): boolean {
  const { prefix, mayImport, except = [], without = [], onlyPackages } = room
  if (without.some((name) => module === name || module.startsWith(`${name}/`))) return false
  if (module.startsWith('src/')) {
    // A room that holds other rooms does not own what is in them.
    const own = module.startsWith(prefix) && roomOf(module)?.prefix === prefix
    return own || (startsWithAny(module, mayImport) && !startsWithAny(module, except))
  }
  if (module.startsWith('node:')) return true
  if (module.startsWith('test/') || module.startsWith('bin/')) return false
  return onlyPackages === undefined || onlyPackages.some((name) => module === name || module.startsWith(`${name}/`))
}

const startsWithAny = (text: string, prefixes: readonly string[]): boolean =>
  prefixes.some((prefix) => text.startsWith(prefix))
