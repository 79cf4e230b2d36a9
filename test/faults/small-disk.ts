import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What a disk is made of: 4 MB of memory, or an ext4 file system of 64 MB on a block device. */
export type DiskKind = 'memory' | 'ext4'

const MOUNT: Readonly<Record<DiskKind, string>> = {
  memory: 'mount -t tmpfs -o size=4m tmpfs "$1"',
  ext4: 'truncate -s 64M "$2" && mkfs.ext4 -q -F "$2" && mount -o loop "$2" "$1"',
}

/**
 * ext4 is told to stop at once, with what it has not written yet (EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH). From then
 * on every use of it fails with EIO.
 */
const SHUT_DOWN =
  'open(my $at, "<", $ARGV[0]) or die $!; my $how = pack("L", 2); ioctl($at, 0x8004587d, $how) or die $!'

/** A disk of its own, which only the programs behind `inside` see; gone when it is left. */
export class SmallDisk implements AsyncDisposable {
  readonly folder: string
  /** Program with arguments that runs the rest of its command line where the disk is. */
  readonly inside: readonly string[]
  readonly #image: string
  readonly #end: () => Promise<void>

  private constructor(folder: string, image: string, pid: number, end: () => Promise<void>) {
    this.folder = folder
    this.inside = ['nsenter', `--target=${pid}`, '--mount', '--']
    this.#image = image
    this.#end = end
  }

  /** Mounts one in a namespace of its own; the reason when this machine does not let us. */
  static async mount(folder: string, kind: DiskKind): Promise<SmallDisk | string> {
    await mkdir(folder, { recursive: true })
    const image = `${folder}.image`
    const script = `${MOUNT[kind]} && echo mounted && exec sleep infinity`
    const holder = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', folder, image], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const failure = new Promise<string>((resolve) => {
      let text = ''
      holder.once('error', (error) => resolve(error.message))
      holder.stderr.setEncoding('utf8').on('data', (part: string) => (text += part))
      holder.once('close', () => resolve(`a file system cannot be mounted: ${text.trim()}`))
    })
    const mounted = once(holder.stdout, 'data').then(() => undefined)
    const reason = await Promise.race([mounted, failure])
    if (reason !== undefined) return reason
    return new SmallDisk(folder, image, holder.pid ?? 0, async () => {
      const ended = once(holder, 'close')
      holder.kill('SIGKILL')
      await ended
    })
  }

  /** Leaves no room. */
  async fill(): Promise<void> {
    // It ends with an error: there is no room for all of it.
    await this.run('dd', 'if=/dev/zero', `of=${this.#filler}`, 'bs=4k').catch(() => {})
  }

  /** Gives the room back. */
  async empty(): Promise<void> {
    await this.run('rm', '-f', this.#filler)
  }

  /** Nobody may have a file open for writing when it becomes read-only. */
  async remount(mode: 'ro' | 'rw'): Promise<void> {
    await this.run('mount', '-o', `remount,${mode}`, this.folder)
  }

  /** Lets an ext4 file system fail as after an error of its device: EIO for everything, or EROFS for what would change it. */
  async fail(how: 'EIO' | 'EROFS'): Promise<void> {
    if (how === 'EIO') await this.run('perl', '-e', SHUT_DOWN, this.folder)
    else await this.run('mount', '-o', 'remount,abort', this.folder)
  }

  /** Repairs an ext4 file system that has failed, and mounts it anew; nobody may use it meanwhile. */
  async repair(): Promise<void> {
    await this.run('umount', this.folder)
    // Status 1 says that something was repaired.
    await this.run('sh', '-c', 'e2fsck -fy "$1" || test $? = 1', 'sh', this.#image)
    await this.run('mount', '-o', 'loop', this.#image, this.folder)
  }

  /** How ZMS is started with its file store on the disk. */
  get withStore() {
    return { settings: { 'athenz.ts.store_dir': join(this.folder, 'store') }, wrapper: this.inside }
  }

  /** Runs a program where the disk is; gives what it printed. Rejects when it fails. */
  async run(...program: readonly string[]): Promise<string> {
    const [command = '', ...args] = [...this.inside, ...program]
    return (await run(command, args)).stdout
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end()
  }

  get #filler(): string {
    return join(this.folder, 'filler')
  }
}
