import { access } from 'node:fs/promises'
import { loadPlugIn, missingMethods } from '../config/plug-in.ts'
import { notFound } from '../error/service-error.ts'
import { ok, type Reply } from './endpoint.ts'

/** Says whether the server may be sent requests, beyond what it finds out itself: a plug-in. */
export interface StatusChecker {
  /** Throws a ServiceError, which is answered, when it may not. */
  check(): Promise<void> | void
}

/**
 * The checker that a property names as module path or package, looked up from `directory`; none when it names none.
 * Throws ConfigError when it cannot be had.
 */
export async function openStatusChecker(
  property: string,
  specifier: string | undefined,
  directory: string,
): Promise<StatusChecker | undefined> {
  if (specifier === undefined) return undefined
  return loadPlugIn<StatusChecker, []>(specifier, {
    property,
    what: 'status checker',
    builtIn: new Map(),
    problemsOf: missingMethods('check'),
    directory,
  })
}

/** What operators may put in the way of requests. */
export interface StatusConditions {
  /** A file without which the server is out of rotation. */
  readonly healthFile: string | undefined
  readonly statusChecker: StatusChecker | undefined
}

/** The answer of a server that works, in the form of an error with status 200; 404 without the file, or what the checker throws. */
export async function serverStatus({ healthFile, statusChecker }: StatusConditions): Promise<Reply> {
  if (healthFile !== undefined && !(await exists(healthFile))) throw notFound('Error - no status available')
  await statusChecker?.check()
  return ok({ code: 200, message: 'OK' })
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file)
    return true
  } catch {
    return false
  }
}
