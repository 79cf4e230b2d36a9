/** From the server to a PAM worker: check one login. */
export interface PamQuestion {
  readonly user: string
  readonly password: string
  /** Handed to PAM as the remote host, for its log and its access rules. */
  readonly remoteAddress: string
}

/** What PAM says about a login. */
export interface PamAnswer {
  readonly accepted: boolean
  /** PAM's words when not accepted; no secret in them. */
  readonly reason: string
  /** How long PAM wants a refusal to be held back, against guessing. */
  readonly delayMillis: number
}
