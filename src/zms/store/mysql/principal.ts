import type { Run, WriteScope } from './scope.ts'

/** Writers of changes of principals and of recorded dependencies, which belong to no domain. */
export const globalWriters = {
  async putPrincipal(scope: WriteScope, run: Run<'putPrincipal'>) {
    for (const { principal, suspended } of run) {
      const { found } = await scope.connection.change('UPDATE principal SET system_suspended = ? WHERE name = ?', [
        suspended,
        principal,
      ])
      if (found > 0) continue
      await scope.connection.change(
        'INSERT INTO principal (name, system_suspended) VALUES (?, ?) ON DUPLICATE KEY UPDATE system_suspended = ?',
        [principal, suspended, suspended],
      )
    }
  },
  async deletePrincipal(scope: WriteScope, run: Run<'deletePrincipal'>) {
    for (const { principal } of run) await scope.connection.change('DELETE FROM principal WHERE name = ?', [principal])
  },
  async putDependency(scope: WriteScope, run: Run<'putDependency'>) {
    for (const { dependentDomain, service } of run) {
      await scope.connection.change(
        'INSERT INTO service_domain_dependency (domain, service) VALUES (?, ?) ON DUPLICATE KEY UPDATE domain = domain',
        [dependentDomain, service],
      )
    }
  },
  async deleteDependency(scope: WriteScope, run: Run<'deleteDependency'>) {
    for (const { dependentDomain, service } of run) {
      await scope.connection.change('DELETE FROM service_domain_dependency WHERE domain = ? AND service = ?', [
        dependentDomain,
        service,
      ])
    }
  },
}
