type Environment = Readonly<Record<string, string | undefined>>

/**
 * The HTTP proxy that the environment names for a server: `HTTPS_PROXY` (`HTTP_PROXY` for http), unless `NO_PROXY` names
 * the server, one of its parent domains or `*`. The machine itself is never reached through a proxy.
 */
export function proxyFor(server: string, env: Environment): string | undefined {
  if (!URL.canParse(server)) return undefined
  const { protocol, hostname, port } = new URL(server)
  const name = protocol === 'http:' ? 'http_proxy' : 'https_proxy'
  const proxy = env[name.toUpperCase()] || env[name]
  if (!proxy || isThisMachine(hostname)) return undefined
  const exceptions = (env['NO_PROXY'] || env['no_proxy'] || '').split(',').map((word) => word.trim().toLowerCase())
  if (exceptions.some((exception) => exempts(exception, hostname, port))) return undefined
  return proxy.includes('://') ? proxy : `http://${proxy}`
}

const isThisMachine = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127(?:\.\d+){3}$/.test(host)

function exempts(exception: string, host: string, port: string): boolean {
  if (exception === '*') return true
  const match = /^\.?([^:]+)(?::(\d+))?$/.exec(exception)
  if (match === null) return false
  const [, name = '', onlyPort] = match
  if (onlyPort !== undefined && onlyPort !== port) return false
  return host.endsWith(`.${name}`) || (host === name && !exception.startsWith('.'))
}
