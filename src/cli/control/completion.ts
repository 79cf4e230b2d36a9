import type { CommandTree, CompletedOption } from './completion-command.ts'

/** Shells that there are scripts for. */
export type CompletionShell = 'bash' | 'zsh' | 'fish'

/** A script that completes the commands and options of a tree; what an option takes is completed as a file unless its values are known. */
export const completionScript = (shell: CompletionShell, tree: CommandTree): string => SCRIPTS[shell](tree)

/** A command by the words that lead to it. */
interface Place {
  /** Of the commands below the program, e.g. `role add-member`; empty for the program itself. */
  readonly path: string
  readonly command: CommandTree
}

const placesOf = (command: CommandTree, path = ''): Place[] => [
  { path, command },
  ...command.commands.flatMap((each) => placesOf(each, path === '' ? each.name : `${path} ${each.name}`)),
]

const flagsOf = ({ options }: CommandTree): string[] => options.flatMap(({ flags }) => [...flags])

/** Within single quotes of a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const functionName = (program: string): string => `_${program.replaceAll(/\W/g, '_')}`

/** The path is found by walking over the words that name commands, as far as they do. */
function bashScript(tree: CommandTree): string {
  const places = placesOf(tree)
  const name = functionName(tree.name)
  const steps = places.filter(({ path }) => path !== '').map(({ path }) => quoted(path))
  return `# Completes ${tree.name} in bash.
${name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path='' next at
  for ((at = 1; at < COMP_CWORD; at++)); do
    next=\${path:+$path }\${COMP_WORDS[at]}
    case $next in
      ${steps.join('|')}) path=$next ;;
    esac
  done
  local words='' values=''
  case $path in
${places.map((place) => `    ${quoted(place.path)})\n${bashPlace(place.command)}      ;;`).join('\n')}
  esac
  case $values in
    '') mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word") ;;
    file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word") ;;
  esac
}
complete -o filenames -F ${name} ${tree.name}
`
}

function bashPlace(command: CommandTree): string {
  const words = [...command.commands.map(({ name }) => name), ...flagsOf(command)]
  const taking = command.options.filter(takesValue)
  const cases = taking.map(
    ({ flags, values }) => `        ${flags.join('|')}) values=${quoted(values?.join(' ') ?? 'file')} ;;\n`,
  )
  const choice = cases.length === 0 ? '' : `      case $before in\n${cases.join('')}      esac\n`
  return `      words=${quoted(words.join(' '))}\n${choice}`
}

const takesValue = ({ values }: CompletedOption): boolean => values === undefined || values.length > 0

function zshScript(tree: CommandTree): string {
  const name = functionName(tree.name)
  const functions = placesOf(tree).map(({ path, command }) => {
    const own = path === '' ? name : `${name}_${path.replaceAll(/\W/g, '_')}`
    return zshFunction(own, command)
  })
  return `#compdef ${tree.name}
# Completes ${tree.name} in zsh.
${functions.join('\n')}
${name} "$@"
`
}

function zshFunction(name: string, command: CommandTree): string {
  const options = command.options.flatMap(zshOption)
  if (command.commands.length === 0) {
    return `${name}() {\n  _arguments -s ${[...options, quoted('*:file:_files')].join(' \\\n    ')}\n}`
  }
  const listed = command.commands.map((each) => `    ${quoted(`${each.name}:${each.description}`)}`)
  const cases = command.commands.map((each) => `        ${each.name}) ${name}_${each.name.replaceAll(/\W/g, '_')} ;;`)
  return `${name}() {
  local line state
  _arguments -C ${[...options, quoted('1: :->command'), quoted('*::argument:->argument')].join(' \\\n    ')}
  case $state in
    command)
      local -a commands=(
${listed.join('\n')}
      )
      _describe command commands
      ;;
    argument)
      case $line[1] in
${cases.join('\n')}
      esac
      ;;
  esac
}`
}

function zshOption({ flags, description, values }: CompletedOption): string[] {
  const about = description.replaceAll(/[[\]:]/g, ' ')
  const value = values === undefined ? ':value:_files' : values.length === 0 ? '' : `:value:(${values.join(' ')})`
  return flags.map((flag) => quoted(`${flag}[${about}]${value}`))
}

function fishScript(tree: CommandTree): string {
  const name = tree.name
  const at = `__${name}_at`
  const lines = placesOf(tree).flatMap(({ path, command }) => {
    const condition = `-n ${fishQuoted(`${at} "${path}"`)}`
    const commands = command.commands.map(
      (each) => `complete -c ${name} -f ${condition} -a ${fishQuoted(each.name)} -d ${fishQuoted(each.description)}`,
    )
    return [...commands, ...command.options.map((option) => `complete -c ${name} ${condition} ${fishOption(option)}`)]
  })
  const steps = placesOf(tree).flatMap(({ path }) => (path === '' ? [] : [fishQuoted(path)]))
  return `# Completes ${name} in fish.
function ${at}
    set -l path
    for word in (commandline -opc)[2..-1]
        set -l next (string join -- ' ' $path $word)
        contains -- $next ${steps.join(' ')}; and set path $next
    end
    test "$path" = "$argv[1]"
end
${lines.join('\n')}
`
}

const fishQuoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

function fishOption({ flags, description, values }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
  const value = values === undefined ? '-r' : values.length === 0 ? '-f' : `-x -a ${fishQuoted(values.join(' '))}`
  return [...names, value, `-d ${fishQuoted(description)}`].join(' ')
}

const SCRIPTS: Readonly<Record<CompletionShell, (tree: CommandTree) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}
