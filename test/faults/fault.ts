/** How long a fault is tried: `short` for every change of the code, `long` by hand. */
export type FaultSize = 'short' | 'long'

/** One kind of fault, tried on servers as they are shipped. Each ends with: nothing acknowledged is lost, health told the truth, the server recovered alone. */
export interface Fault {
  readonly name: string
  /** What happens, in one line. */
  readonly what: string
  /**
   * Tries it in an empty folder; tells what it saw by `report`, a line at a time. Rejects with what should not have been;
   * gives the reason when this machine does not allow the fault.
   */
  readonly attempt: (options: FaultOptions) => Promise<string | void>
}

/** What a fault is tried with. */
export interface FaultOptions {
  readonly dir: string
  readonly size: FaultSize
  readonly report: (line: string) => void
}
