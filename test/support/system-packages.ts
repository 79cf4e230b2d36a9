import { spawnSync } from 'node:child_process'

/** A program of the system that tests call, and the Debian packages that bring it. */
interface SystemProgram {
  readonly program: string
  readonly packages: readonly string[]
}

const PROGRAMS: readonly SystemProgram[] = [
  { program: 'openssl', packages: ['openssl'] },
  { program: 'curl', packages: ['curl', 'ca-certificates'] },
  // The core packages bring the programs without a system service.
  { program: 'mariadbd', packages: ['mariadb-server-core', 'mariadb-client-core'] },
  // Shells whose completion is tried.
  { program: 'zsh', packages: ['zsh'] },
  { program: 'fish', packages: ['fish'] },
  // kadmin.local, which fills the database of a KDC, is in the package of its administration server.
  { program: 'krb5kdc', packages: ['krb5-kdc', 'krb5-admin-server', 'krb5-user', 'libgssapi-krb5-2'] },
  // The web page is tested in a real browser; without a font it would show nothing.
  { program: 'chromium', packages: ['chromium', 'fonts-dejavu-core'] },
]

// Where packages put servers; often not on the path of an ordinary user.
const FOLDERS = '/usr/sbin:/usr/local/sbin:/usr/libexec'

/** Whether a program of the system is there. */
export const isPresent = (program: string): boolean =>
  spawnSync('sh', ['-c', `PATH=$PATH:${FOLDERS} command -v "$1"`, 'sh', program], { stdio: 'ignore' }).status === 0

/** Installs with apt what tests need and the machine lacks; where it may not, it says what to type. */
export function installSystemPackages(): void {
  const missing = PROGRAMS.filter(({ program }) => !isPresent(program))
  if (missing.length === 0) return
  const packages = missing.flatMap((row) => row.packages)
  const install = `apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends ${packages.join(' ')}`
  const isRoot = process.getuid?.() === 0
  const mayBecomeRoot = isRoot || spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0
  if (!isPresent('apt-get') || !mayBecomeRoot) {
    console.error(
      `test: missing ${missing.map(({ program }) => program).join(', ')}; as root: apt-get install ${packages.join(' ')}`,
    )
    return
  }
  console.error(`test: installing ${packages.join(', ')}…`)
  const command = isRoot ? ['sh', '-c', install] : ['sudo', '-n', 'sh', '-c', install]
  const { status } = spawnSync(command[0] ?? '', command.slice(1), { stdio: ['ignore', 2, 2] })
  if (status !== 0) console.error('test: apt-get could not install them; see its messages above')
}
