/** Stored data cannot be read as they were written. The store does not start, so that nothing is lost silently. */
export class DamageError extends Error {
  readonly file: string
  /** Byte of the file where the damage begins. */
  readonly offset: number

  constructor(file: string, offset: number, reason: string) {
    super(
      `${file} is damaged at byte ${offset}: ${reason}. The store is not opened, because changes that were acknowledged ` +
        `would be lost. Restore the whole folder of the store from a backup.`,
    )
    this.name = 'DamageError'
    this.file = file
    this.offset = offset
  }
}
