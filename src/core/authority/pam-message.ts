/** From the server to a PAM worker: check one login. */
export interface PamRequest {
  readonly id: number
  readonly user: string
  readonly password: string
  /** Handed to PAM as the remote host, for its log and its access rules. */
  readonly remoteAddress: string
}

/** From a PAM worker to the server. */
export type PamReply =
  /** libpam is loaded and the profile can be opened. */
  | { readonly kind: 'ready' }
  /** The worker cannot do its work; `reason` says what is missing. It ends after this. */
  | { readonly kind: 'unusable'; readonly reason: string }
  | ({ readonly kind: 'answer'; readonly id: number } & PamAnswer)

/** What PAM says about a login. */
export interface PamAnswer {
  readonly accepted: boolean
  /** PAM's words when not accepted; no secret in them. */
  readonly reason: string
  /** How long PAM wants a refusal to be held back, against guessing. */
  readonly delayMillis: number
}
