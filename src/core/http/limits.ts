/** Bounds that keep one client from using up the server. */
export interface HttpLimits {
  /** Request line and headers together. */
  readonly headerBytes: number
  /** Header fields of one request. */
  readonly headerCount: number
  readonly bodyBytes: number
  /** For the headers to arrive, from the first byte. */
  readonly headersTimeoutMillis: number
  /** For the whole request to arrive. */
  readonly requestTimeoutMillis: number
  /** Connections without traffic, between requests or within one, are closed after it. */
  readonly idleTimeoutMillis: number
  /** When the server stops: for requests that are already on their way on connections that are idle here. */
  readonly idleLingerMillis: number
  /** For the TLS handshake. */
  readonly handshakeTimeoutMillis: number
  /** How often the timeouts of requests are looked at. */
  readonly checkIntervalMillis: number
}

/** The original's limits where it has them. */
export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  headerBytes: 8192,
  headerCount: 200,
  bodyBytes: 16 * 1024 * 1024,
  headersTimeoutMillis: 30_000,
  requestTimeoutMillis: 120_000,
  idleTimeoutMillis: 30_000,
  idleLingerMillis: 0,
  handshakeTimeoutMillis: 10_000,
  checkIntervalMillis: 5_000,
}
