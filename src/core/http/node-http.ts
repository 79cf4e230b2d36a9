/**
 * The values of Node's `http` that are used. An import of the module itself would ask for all its exports, and so load the
 * clients behind some of them (fetch, WebSocket): 30 ms of every start.
 */
export const { STATUS_CODES, createServer, request, validateHeaderName, validateHeaderValue } =
  process.getBuiltinModule('node:http')
