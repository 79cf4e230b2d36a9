import { loadPlugIn, missingMethods, type PlugInPoint } from '#core/config/plug-in.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { anyMetaValue, type DomainMetaStore } from './service/domain-meta-store.ts'

/** Opens the inventory that `athenz.zms.domain_meta_store_factory_class` selects. Throws ConfigError with the reason. */
export function openDomainMetaStore(config: ConfigOf['zms']): Promise<DomainMetaStore> {
  const { zms } = config
  const point: PlugInPoint<DomainMetaStore, [ConfigOf['zms']]> = {
    property: 'athenz.zms.domain_meta_store_factory_class',
    what: 'domain meta store',
    builtIn: new Map([
      ['com.yahoo.athenz.common.server.metastore.impl.NoOpDomainMetaStoreFactory', () => anyMetaValue],
    ]),
    problemsOf: missingMethods('isValid', 'validValues'),
    directory: zms.rootDir,
  }
  return loadPlugIn(zms.domainMetaStoreFactoryClass, point, config)
}
