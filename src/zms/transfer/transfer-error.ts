/** Data cannot be moved; the message tells an operator why and what to do. */
export class TransferError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'TransferError'
  }
}
