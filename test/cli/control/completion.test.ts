import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { PROJECT_FOLDER } from '../../architecture/sources.ts'
import { runProgram } from '../../support/program.ts'
import { isPresent } from '../../support/system-packages.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { startOnTerminal } from '../../support/terminal.ts'

const ATHENZ = join(PROJECT_FOLDER, 'bin', 'athenz')

/** A shell that is neither there nor could be installed at the start of the tests. */
const without = (shell: string) => ({ skip: isPresent(shell) ? false : `there is no ${shell}` })

/** Words at the end of a command line, and what they may become. */
const CASES: readonly (readonly [line: string, candidates: readonly string[]])[] = [
  ['athenz ap', ['apply']],
  ['athenz role add-', ['add-member']],
  ['athenz role add-member weather readers --dr', ['--dry-run']],
  ['athenz role list -o ', ['json', 'table', 'yaml']],
  ['athenz role list --output y', ['yaml']],
  ['athenz apply -f manifest', ['manifest-of-weather.yaml']],
  ['athenz doctor --root x --conte', ['--context']],
]

describe('completion in a shell', () => {
  const folder = temporaryFolder()
  const env = { PATH: process.env['PATH'], HOME: folder, TERM: 'xterm', ZDOTDIR: folder }
  before(() => writeFileSync(join(folder, 'manifest-of-weather.yaml'), ''))

  async function script(shell: string, file: string): Promise<void> {
    const { status, stdout } = await runProgram(ATHENZ, ['completion', shell], { env })
    assert.equal(status, 0)
    writeFileSync(join(folder, file), stdout)
  }

  test('of fish gives commands, options, their values and files', without('fish'), async () => {
    await script('fish', 'athenz.fish')
    for (const [line, candidates] of CASES) {
      const asked = ['--no-config', '-c', 'source athenz.fish; complete -C $argv[1]', line]
      const { stdout, stderr } = await runProgram('fish', asked, { cwd: folder, env })
      assert.equal(stderr, '', line)
      const found = stdout.split('\n').map((row) => row.split('\t')[0] ?? '')
      assert.deepEqual(found.filter((each) => each !== '').sort(), [...candidates], line)
    }
  })

  test('of zsh gives them, too', without('zsh'), async () => {
    await script('zsh', '_athenz')
    // What is on the line in the end is printed by the command itself.
    writeFileSync(
      join(folder, '.zshrc'),
      [
        "PS1='ready> '",
        'fpath=($ZDOTDIR $fpath)',
        'autoload -Uz compinit && compinit -u -D',
        'athenz() { print -r -- "given: $*." }',
      ].join('\n'),
    )
    for (const [line, candidates] of CASES) {
      // One shell for each: what is typed while a shell still tidies up its line may get lost.
      await using shell = startOnTerminal('zsh', ['-i'], { cwd: folder, env })
      await shell.shows('ready> ')
      shell.type(`${line}\t`)
      const [only = '', ...others] = candidates
      if (others.length > 0) {
        // Several are listed below the line.
        await shell.shows(new RegExp(candidates.join('\\s+')))
        continue
      }
      const words = [...line.split(' ').slice(1, -1), only].join(' ')
      await shell.shows(words)
      shell.type('\r')
      await shell.shows(`given: ${words}.`)
      shell.type('exit\r')
      assert.deepEqual(await shell.ended, { status: 0, signal: null })
    }
  })
})
