import type { Service, ServiceBase } from '../store/model.ts'

/** A service without its keys and hosts. */
export function serviceBaseOf(service: Service): ServiceBase {
  const { publicKeys: _, hosts: __, ...base } = service
  return base
}
