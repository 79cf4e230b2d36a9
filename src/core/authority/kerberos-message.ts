/** From the server to a Kerberos worker: accept one token. */
export interface KerberosQuestion {
  readonly token: Uint8Array
}

/** What GSS-API says about a token. */
export type KerberosAnswer =
  /** The name of the client with its realm, `joe@EXAMPLE.COM`, as Kerberos writes it. */
  | { readonly accepted: true; readonly client: string }
  /** GSS-API's words; no secret in them. */
  | { readonly accepted: false; readonly reason: string }

/** The variables by which the Kerberos library is told its files. */
export interface KerberosEnvironment {
  /** Key table, `FILE:/path`. */
  readonly KRB5_KTNAME: string
  /** Settings of the library; those of the system when absent. */
  readonly KRB5_CONFIG?: string
}
