import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { request as sendRequest } from 'node:https'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'
import { runZmsCli } from '../../src/cli/zms-cli/zms-cli.ts'
import { type ClientCertificate, clientCertificate } from './client-certificate.ts'
import { runProgram } from './program.ts'

/** How the tool ended, and what it printed on both streams. */
export interface ToolAnswer {
  readonly status: number | null
  readonly output: string
}

/** An answer of ZMS without the tool. */
export interface RestAnswer {
  readonly status: number
  readonly body: unknown
}

const DAY_MILLIS = 86_400_000
const EVENTUALLY_MILLIS = 30_000
const TIMESTAMP = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g

/** This project's zms-cli, run inside the test: several hundred commands would spend most of their time on starting. */
export const OURS = { whose: 'ours' } as const

/** A zms-cli, used by several people of one development folder, each with a client certificate. */
export class ZmsCli {
  readonly #tools: string | typeof OURS
  readonly #summary: DevSummary
  readonly #folder: string
  readonly #people = new Map<string, Promise<ClientCertificate>>()

  /** `tools` is the folder that has the program, or ours; certificates are written into `folder`. */
  constructor(tools: string | typeof OURS, summary: DevSummary, folder: string) {
    this.#tools = tools
    this.#summary = summary
    this.#folder = folder
  }

  /** Runs a command line for somebody: words between blanks, and everything between double quotes is one word. */
  async run(who: string, commandLine: string): Promise<ToolAnswer> {
    await this.certificate(who)
    const { zms, ca } = this.#summary
    const [cert, key] = this.#files(who)
    const words = Array.from(commandLine.matchAll(/"([^"]*)"|\S+/g), ([word, quoted]) => quoted ?? word)
    const connection = ['-i', who, '-z', zms ?? '', '-c', ca, '-cert', cert, '-key', key]
    const args = [...connection, ...words]
    if (typeof this.#tools !== 'string') return runOurs(args)
    const { status, stdout, stderr } = await runProgram(join(this.#tools, 'zms-cli'), args)
    return { status, output: stdout + stderr }
  }

  /**
   * A command must succeed and print exactly this; runs of white space count as one blank, and timestamps as the days
   * from now, `<+30d>`.
   */
  async prints(who: string, commandLine: string, expected: string): Promise<void> {
    const { status, output } = await this.run(who, commandLine)
    assert.equal(inOneLine(output), expected, `${who}: ${commandLine}`)
    assert.equal(status, 0, `${who}: ${commandLine}`)
  }

  /** A command must come to print this within 30 seconds, while the server still works on it. */
  async eventuallyPrints(who: string, commandLine: string, expected: string): Promise<void> {
    for (const end = Date.now() + EVENTUALLY_MILLIS; Date.now() < end; ) {
      const { status, output } = await this.run(who, commandLine)
      if (status === 0 && inOneLine(output) === expected) return
    }
    await this.prints(who, commandLine, expected)
  }

  /** A command must fail with the status and the reason that the server gave. */
  async refused(who: string, commandLine: string, code: number, message: string): Promise<void> {
    const { status, output } = await this.run(who, `-o json ${commandLine}`)
    assert.equal(status, 1, `${who}: ${commandLine}: ${output}`)
    assert.deepEqual(JSON.parse(output), { code, message }, `${who}: ${commandLine}`)
  }

  /** What a command prints as JSON. */
  async json(who: string, commandLine: string): Promise<unknown> {
    const { status, output } = await this.run(who, `-o json ${commandLine}`)
    assert.equal(status, 0, `${who}: ${commandLine}: ${output}`)
    return JSON.parse(output)
  }

  /** Asks ZMS for what the tool has no command for; `path` begins below the base of the interface. */
  async rest(who: string, method: string, path: string, body?: object): Promise<RestAnswer> {
    const [{ certificate, key }, ca] = await Promise.all([this.certificate(who), readFile(this.#summary.ca, 'utf8')])
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'y-audit-ref': 'asked directly' }
      const options = { method, ca, cert: certificate, key, headers }
      const asked = sendRequest(`${this.#summary.zms}${path}`, options, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) }),
        )
      })
      asked.once('error', reject)
      asked.end(body && JSON.stringify(body))
    })
  }

  #files(who: string): [certificate: string, key: string] {
    return [join(this.#folder, `${who}.pem`), join(this.#folder, `${who}.key`)]
  }

  /** The certificate that somebody shows, made at the first use. */
  certificate(who: string): Promise<ClientCertificate> {
    const known = this.#people.get(who)
    if (known !== undefined) return known
    const made = this.#makePerson(who)
    this.#people.set(who, made)
    return made
  }

  async #makePerson(who: string): Promise<ClientCertificate> {
    const made = await clientCertificate(this.#summary, who)
    const [certificateFile, keyFile] = this.#files(who)
    await Promise.all([writeFile(certificateFile, made.certificate), writeFile(keyFile, made.key)])
    return made
  }
}

async function runOurs(args: readonly string[]): Promise<ToolAnswer> {
  let [printed, complained] = ['', '']
  const status = await runZmsCli(args, {
    env: process.env,
    home: homedir(),
    print: (text) => {
      printed += text
    },
    complain: (line) => {
      complained += `${line}\n`
    },
  })
  return { status, output: printed + complained }
}

const inOneLine = (output: string): string => output.trim().replaceAll(/\s+/g, ' ').replaceAll(TIMESTAMP, daysFromNow)

function daysFromNow(timestamp: string): string {
  const days = Math.round((Date.parse(timestamp) - Date.now()) / DAY_MILLIS)
  return `<${days < 0 ? '' : '+'}${days}d>`
}
