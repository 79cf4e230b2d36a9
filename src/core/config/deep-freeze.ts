const refuse = (): never => {
  throw new TypeError('the configuration is read-only')
}

/**
 * Freezes plain objects and arrays all the way down; sets and maps lose the methods that change them. Regular
 * expressions and instances of classes are frozen themselves but not entered.
 */
export const deepFreeze = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (value instanceof Set || value instanceof Map) {
    for (const method of ['add', 'set', 'delete', 'clear']) {
      if (method in value) Object.defineProperty(value, method, { value: refuse })
    }
    for (const item of value.values()) deepFreeze(item)
  } else if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) deepFreeze(item)
  }
  return Object.freeze(value)
}
