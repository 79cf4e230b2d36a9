import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { PamAnswer, PamReply, PamRequest } from './pam-message.ts'

/** How logins are checked; all but `profile` and `log` have defaults. */
export interface PamPoolOptions {
  /** Name of a PAM profile: a file in /etc/pam.d. */
  readonly profile: string
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Processes at most (4); they are started when needed. */
  readonly workerMaxCount?: number
  /** Logins that may wait for a process (64); more are refused. */
  readonly waitingMaxCount?: number
  /** Refusals held back at the same time (512); while there are more, logins are refused at once. */
  readonly heldBackMaxCount?: number
  /** Longest wait for a process, and longest work of a process, which is killed after it (15,000). */
  readonly timeoutMillis?: number
  /** An idle process, unless it is the only one, ends after this (60,000). */
  readonly idleMillis?: number
  /** Waits, or returns early when the signal aborts; replaced where time must not pass. */
  readonly wait?: (millis: number, signal: AbortSignal) => Promise<unknown>
  /** Path of the program that a worker runs. */
  readonly program?: string
}

/** The answer to one login: accepted, or refused with a reason for the log. */
export type LoginAnswer = { readonly accepted: true } | { readonly accepted: false; readonly reason: string }

interface Job {
  readonly request: PamRequest
  readonly settle: (answer: PamAnswer) => void
  readonly overdue: NodeJS.Timeout
}

interface Worker {
  readonly process: ChildProcess
  /** Set for the first worker until it is ready. */
  start: { ready: () => void; failed: (error: Error) => void } | undefined
  state: 'starting' | 'idle' | 'busy'
  job: Job | undefined
  timer: NodeJS.Timeout | undefined
}

const RESTART_MIN_MILLIS = 100
const RESTART_MAX_MILLIS = 30_000
const STOPPING = 'the server is stopping'

const refusal = (reason: string): PamAnswer => ({ accepted: false, reason, delayMillis: 0 })

/** The extension is that of this file, so that compiled code starts the compiled worker. */
const WORKER_PROGRAM = fileURLToPath(new URL(`./pam-worker${extname(import.meta.filename)}`, import.meta.url))

/**
 * Checks logins against PAM in a few child processes, because libpam blocks and its modules may hang or crash. A
 * password goes to a process through its channel only: it is never in an argument, the environment or a log.
 */
export class PamPool {
  readonly #options: Required<PamPoolOptions>
  readonly #workers = new Set<Worker>()
  readonly #waiting: Job[] = []
  readonly #stopping = new AbortController()
  #lastId = 0
  #heldBackCount = 0
  /** Workers that ended since the last answer. */
  #failureCount = 0
  #restart: NodeJS.Timeout | undefined

  constructor(options: PamPoolOptions) {
    this.#options = {
      workerMaxCount: 4,
      waitingMaxCount: 64,
      heldBackMaxCount: 512,
      timeoutMillis: 15_000,
      idleMillis: 60_000,
      wait: (millis, signal) => sleep(millis, undefined, { signal }).catch(() => {}),
      program: WORKER_PROGRAM,
      ...options,
    }
  }

  /** Starts the first process. Rejects with an Error that says what is missing when PAM cannot be used. */
  start(): Promise<void> {
    return new Promise((ready, failed) => {
      this.#spawn({ ready, failed })
    })
  }

  /** Process ids of the workers. */
  get workerPids(): readonly number[] {
    return [...this.#workers].flatMap(({ process }) => process.pid ?? [])
  }

  /**
   * Asks PAM. A refusal comes as late as PAM wants it, counted from the start of the check, so that its time says
   * nothing about whether the account exists. Never rejects.
   */
  async authenticate(user: string, password: string, remoteAddress: string): Promise<LoginAnswer> {
    const { heldBackMaxCount, waitingMaxCount } = this.#options
    if (this.#stopping.signal.aborted) return { accepted: false, reason: STOPPING }
    if (this.#heldBackCount >= heldBackMaxCount) {
      return { accepted: false, reason: 'too many refused logins at the same time' }
    }
    if (this.#waiting.length >= waitingMaxCount) return { accepted: false, reason: 'too many logins are waiting' }
    const startMillis = performance.now()
    const answer = await this.#ask({ id: ++this.#lastId, user, password, remoteAddress })
    if (answer.accepted) return { accepted: true }
    await this.#holdBack(answer.delayMillis - (performance.now() - startMillis))
    return { accepted: false, reason: answer.reason }
  }

  /** Refuses what is in flight and ends the processes. */
  close(): void {
    this.#stopping.abort()
    clearTimeout(this.#restart)
    for (const job of this.#waiting.splice(0)) settle(job, refusal(STOPPING))
    for (const worker of this.#workers) this.#retire(worker)
  }

  #ask(request: PamRequest): Promise<PamAnswer> {
    return new Promise((resolve) => {
      const { timeoutMillis } = this.#options
      const overdue = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(job), 1)
        resolve(refusal(`no PAM process was free within ${timeoutMillis} ms`))
      }, timeoutMillis)
      const job: Job = { request, settle: resolve, overdue }
      this.#waiting.push(job)
      this.#dispatch()
    })
  }

  async #holdBack(millis: number): Promise<void> {
    if (millis <= 0) return
    this.#heldBackCount++
    try {
      await this.#options.wait(millis, this.#stopping.signal)
    } finally {
      this.#heldBackCount--
    }
  }

  #dispatch(): void {
    let starting = 0
    for (const worker of this.#workers) {
      if (worker.state === 'starting') starting++
      const job = worker.state === 'idle' ? this.#waiting.shift() : undefined
      if (job !== undefined) this.#assign(worker, job)
    }
    if (this.#waiting.length > starting && this.#restart === undefined) {
      if (this.#workers.size < this.#options.workerMaxCount) this.#spawn()
    }
  }

  #assign(worker: Worker, job: Job): void {
    clearTimeout(job.overdue)
    worker.state = 'busy'
    worker.job = job
    this.#watch(worker, this.#options.timeoutMillis, () => this.#giveUp(worker))
    worker.process.channel?.ref()
    // A failure to send shows as the end of the process or as its silence.
    worker.process.send(job.request, () => {})
  }

  #spawn(start?: Worker['start']): void {
    const { program, profile, timeoutMillis } = this.#options
    const worker: Worker = {
      process: fork(program, [profile], {
        // Nothing of the server's environment or flags, which may hold secrets or a debugger's port.
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' },
        execArgv: ['--max-old-space-size=32'],
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        serialization: 'advanced',
      }),
      start,
      state: 'starting',
      job: undefined,
      timer: undefined,
    }
    this.#workers.add(worker)
    worker.process.unref()
    this.#watch(worker, timeoutMillis, () => this.#giveUp(worker))
    worker.process.on('message', (message) => this.#receive(worker, message as PamReply))
    worker.process.on('error', (error) => this.#ended(worker, error.message))
    worker.process.on('exit', (code, signal) =>
      this.#ended(worker, signal === null ? `exit status ${code}` : `killed by ${signal}`),
    )
  }

  #receive(worker: Worker, message: PamReply): void {
    if (!this.#workers.has(worker)) return
    if (message.kind === 'unusable') {
      this.#ended(worker, message.reason)
      return
    }
    const { job } = worker
    worker.state = 'idle'
    worker.job = undefined
    if (message.kind === 'ready') {
      worker.start?.ready()
      worker.start = undefined
    } else {
      this.#failureCount = 0
      if (job?.request.id === message.id) settle(job, message)
    }
    // Until there is work again, the process is no reason to keep the server running.
    worker.process.channel?.unref()
    this.#watch(worker, this.#options.idleMillis, () => this.#retireSpare(worker))
    this.#dispatch()
  }

  #giveUp(worker: Worker): void {
    worker.process.kill('SIGKILL')
    this.#ended(worker, `no answer within ${this.#options.timeoutMillis} ms`)
  }

  /** A process ended, was too slow, or cannot work: its login is refused, and another takes its place. */
  #ended(worker: Worker, reason: string): void {
    if (!this.#workers.delete(worker)) return
    clearTimeout(worker.timer)
    if (worker.job) settle(worker.job, refusal(`PAM did not answer: ${reason}`))
    if (worker.start) {
      this.#stopping.abort()
      worker.start.failed(new Error(reason))
      return
    }
    this.#failureCount++
    const delayMillis = Math.min(RESTART_MIN_MILLIS * 2 ** (this.#failureCount - 1), RESTART_MAX_MILLIS)
    this.#options.log('error', `a PAM process ended: ${reason}; the next one starts in ${delayMillis} ms`)
    this.#restart ??= setTimeout(() => {
      this.#restart = undefined
      if (this.#workers.size === 0) this.#spawn()
      this.#dispatch()
    }, delayMillis).unref()
  }

  #retireSpare(worker: Worker): void {
    if (this.#workers.size > 1) this.#retire(worker)
  }

  #retire(worker: Worker): void {
    this.#workers.delete(worker)
    clearTimeout(worker.timer)
    worker.start?.failed(new Error(STOPPING))
    if (worker.job) {
      settle(worker.job, refusal(STOPPING))
      worker.process.kill('SIGKILL')
    } else if (worker.process.connected) {
      // With its channel closed the process has nothing left to wait for.
      worker.process.disconnect()
    }
  }

  #watch(worker: Worker, millis: number, expired: () => void): void {
    clearTimeout(worker.timer)
    worker.timer = setTimeout(expired, millis).unref()
  }
}

function settle(job: Job, answer: PamAnswer): void {
  clearTimeout(job.overdue)
  job.settle(answer)
}
