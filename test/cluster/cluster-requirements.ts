import { spawnSync } from 'node:child_process'
import { findGalera } from '../support/galera.ts'

const PACKAGES = ['mariadb-server', 'galera-4', 'rsync', 'iproute2', 'util-linux']
const PROGRAMS = ['mariadbd', 'mariadb-install-db', 'wsrep_sst_rsync', 'rsync', 'ip', 'unshare', 'nsenter']

/** What a cluster needs and this machine lacks, for people; undefined when it has all. Installs with apt what it may. */
export async function missingForCluster(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'only root may make network namespaces: run it with sudo'
  if (!(await hasPrograms())) {
    if (!isPresent('apt-get')) return `install ${PACKAGES.join(', ')}`
    console.log(`installing ${PACKAGES.join(', ')}…`)
    // The service that comes with the package is none of ours: it would take the port and the memory.
    const script = `apt-get update -q && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -q -y --no-install-recommends ${PACKAGES.join(' ')}`
    spawnSync('flock', ['/var/cache/apt', 'sh', '-c', script], { stdio: ['ignore', 2, 2] })
    if (!(await hasPrograms())) return `apt-get could not install ${PACKAGES.join(', ')}`
  }
  const { status } = spawnSync('unshare', ['--net', '--pid', '--fork', 'ip', 'link', 'add', 'probe', 'type', 'bridge'])
  return status === 0 ? undefined : 'network namespaces with bridges are not permitted here'
}

const hasPrograms = async () => PROGRAMS.every(isPresent) && (await findGalera()) !== undefined

const isPresent = (program: string): boolean =>
  spawnSync('sh', ['-c', 'PATH=$PATH:/usr/sbin:/sbin command -v "$1"', 'sh', program], { stdio: 'ignore' }).status === 0
