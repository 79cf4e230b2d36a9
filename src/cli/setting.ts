import { InvalidArgumentError } from 'commander'

/**
 * Adds `key=value` of the command line to the settings given before; for commander's option parsers.
 * @throws InvalidArgumentError when there is no key or no `=`
 */
export function collectSetting(text: string, before?: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const at = text.indexOf('=')
  const key = text.slice(0, Math.max(at, 0)).trim()
  if (key === '') throw new InvalidArgumentError('Write key=value.')
  return new Map([...(before ?? []), [key, text.slice(at + 1)]])
}
