import { Command } from 'commander'
import { CommandFailure } from '../command-failure.ts'
import { ProgressLine } from '../progress.ts'
import { addControl } from './control-command.ts'
import type { DoctorOptions, Finding } from './doctor.ts'
import { EXIT } from './exit-status.ts'
import type { Session } from './session.ts'

/** Adds the command `athenz doctor`. */
export function addDoctor(program: Command): void {
  addControl<DoctorOptions>(program, {
    usage: 'doctor',
    description: 'check servers, certificates, keys and clocks, and say what to do about what is wrong',
    options: (command) =>
      command.option(
        '--root <folder>',
        'check configuration, keys and databases of the servers below this folder, too',
      ),
    negative: 'something is wrong',
    run: diagnose,
  })
}

async function diagnose(session: Session, _words: unknown, options: DoctorOptions): Promise<number> {
  const { examine } = await import('./doctor.ts')
  const progress = new ProgressLine()
  const findings = await examine(session, options, (what) => progress.show(`checking ${what}`)).finally(() =>
    progress.end(),
  )
  if (findings.length === 0) {
    throw new CommandFailure('there is nothing to check: name a context, the servers by --zms and --zts, or --root')
  }
  await session.print({ value: findings, table: () => findings.flatMap(linesOf) })
  return findings.every(({ ok }) => ok) ? EXIT.done : EXIT.negative
}

const linesOf = ({ check, ok, found, advice }: Finding): string[] => [
  `${ok ? 'ok  ' : 'FAIL'}  ${check}: ${found}`,
  ...(advice === undefined ? [] : [`      ${advice}`]),
]
