/** Code of what fails before the server is asked. */
const LOCAL_CODE = 400

/** A command cannot be carried out: printed on standard output in the form that was asked for, as refusals of the server are. */
export class CommandRefusal extends Error {
  readonly code: number

  constructor(message: string, code = LOCAL_CODE) {
    super(message)
    this.name = 'CommandRefusal'
    this.code = code
  }
}

/** The words of a command are not what it takes. */
export const badSyntax = (command: string): CommandRefusal =>
  new CommandRefusal(`bad command syntax: see 'zms-cli help ${command}'`)

/** The command works in a domain, and none is given. */
export const noDomain = (): CommandRefusal =>
  new CommandRefusal('no domain specified: name it with -d before the command')
