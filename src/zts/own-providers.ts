import { ConfigError } from '#core/config/config-error.ts'
import { loadPlugIn, missingMethods, type PlugInPoint } from '#core/config/plug-in.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { BuiltInProviderParts } from './built-in-providers.ts'
import type { InstanceProvider } from './cert/instance-provider.ts'
import type { ProviderFactory } from './cert/instance-providers.ts'

const PROPERTY = 'athenz.ts.instance_providers'
const CLASS_NAME = /^[A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)*$/
const KINDS: ReadonlySet<unknown> = new Set(['x509', 'jwt', 'both'])

/**
 * The operator's own providers by class name. A module is loaded once, at the start, with the parts that the built-in ones
 * get, and its provider serves every service whose endpoint names the class. Throws a ConfigError for an entry that is not `CLASS=MODULE`, and as
 * {@link loadPlugIn} does.
 */
export async function loadOwnProviders(
  { zts }: Pick<ConfigOf['zts'], 'zts'>,
  parts: BuiltInProviderParts,
): Promise<ReadonlyMap<string, ProviderFactory>> {
  const point: PlugInPoint<InstanceProvider, [BuiltInProviderParts]> = {
    property: PROPERTY,
    what: 'provider of instances',
    builtIn: new Map(),
    problemsOf: problemsOfProvider,
    directory: zts.rootDir,
  }
  const providers = new Map<string, ProviderFactory>()
  for (const entry of zts.instanceProviders) {
    const equals = entry.indexOf('=')
    const [name, module] = [entry.slice(0, Math.max(equals, 0)), entry.slice(equals + 1)]
    if (!CLASS_NAME.test(name) || module === '') {
      throw new ConfigError([`${PROPERTY}: "${entry}" does not name a class and a module (write CLASS=MODULE)`])
    }
    const provider = await loadPlugIn(module, point, parts)
    providers.set(name, () => provider)
  }
  return providers
}

function problemsOfProvider(candidate: object): readonly string[] {
  const { svidTypes, inProcess } = candidate as Partial<Record<keyof InstanceProvider, unknown>>
  return [
    ...missingMethods('confirmInstance', 'refreshInstance')(candidate),
    ...(KINDS.has(svidTypes) ? [] : ['svidTypes (x509, jwt or both)']),
    ...(typeof inProcess === 'boolean' ? [] : ['inProcess (true or false)']),
  ]
}
