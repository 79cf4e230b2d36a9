import type { ConfigOf } from '#core/config/server-tables.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { factsOf, titleOf } from '#core/notification/message-text.ts'
import type { Notification } from '#core/notification/notice.ts'
import { notificationJson } from '#core/notification/notification-json.ts'
import { topics } from '#core/notification/topics.ts'
import { type PreviewedDay, previewRuns } from '#zms/notification/preview.ts'
import { openQueries } from '#zms/open-queries.ts'
import { CommandFailure, reasonOf } from './command-failure.ts'
import { dataFailure } from './data-command.ts'
import { type DataOptions, loadConfig, zmsDataOf } from './data-location.ts'

/** Options of `athenz notify`. */
export interface NotifyOptions extends DataOptions {
  readonly storeDir?: string
  readonly dryRun?: boolean
  /** Time of the first run in epoch milliseconds; now when absent. */
  readonly at?: number
  readonly days: number
  readonly json?: boolean
}

/**
 * Prints what the daily runs of ZMS would tell whom, and which requests they would reject. Sends nothing and changes
 * nothing. Gives the exit status.
 * @throws CommandFailure with the reason
 */
export async function notify(options: NotifyOptions, print: (line: string) => void = console.log): Promise<number> {
  if (!options.dryRun) {
    throw new CommandFailure('ZMS sends notifications of its own accord; with --dry-run this prints what it would send')
  }
  const { config } = await loadConfig('zms', options)
  try {
    const data = await openQueries(await zmsDataOf(options))
    try {
      const days = previewRuns(
        { config, queries: data.queries },
        { from: options.at ?? Date.now(), days: options.days },
      )
      if (options.json) await printJson(days, print)
      else await printText(days, config, print)
      return 0
    } finally {
      await data.close()
    }
  } catch (error) {
    if (error instanceof ServiceError) throw new CommandFailure(reasonOf(error.cause ?? error))
    throw dataFailure(error)
  }
}

async function printJson(days: AsyncIterable<PreviewedDay>, print: (line: string) => void): Promise<void> {
  const found: object[] = []
  for await (const { time, rejected, notifications } of days) {
    found.push({
      time: new Date(time).toISOString(),
      rejected: rejected.map(({ domain, kind, collection, member, time: requestTime }) => ({
        domain,
        [kind]: collection,
        member,
        requestTime: new Date(requestTime).toISOString(),
      })),
      notifications: notifications.map(withoutId),
    })
  }
  print(JSON.stringify(found, null, 2))
}

/** Nothing has an id that is not sent. */
function withoutId(notification: Notification): object {
  const { id: _, created: __, ...shown } = notificationJson(notification) as Record<string, unknown>
  return shown
}

async function printText(
  days: AsyncIterable<PreviewedDay>,
  config: ConfigOf['zms'],
  print: (line: string) => void,
): Promise<void> {
  if (config.zms.notificationServiceFactoryClass.length === 0) {
    print('note: athenz.zms.notification_service_factory_class is not set, so nobody would be told of any of this')
  }
  for await (const { time, rejected, notifications } of days) {
    print(`${new Date(time).toISOString().slice(0, 16)}Z`)
    for (const { domain, kind, collection, member, time: requestTime } of rejected) {
      const place = titleOf({ domain, [kind]: collection })
      print(`  rejected: ${member} in ${place}, asked for on ${new Date(requestTime).toISOString().slice(0, 10)}`)
    }
    for (const { recipients, sections } of notifications) {
      print(`  to ${recipients.join(', ')}:`)
      for (const { topic, items } of sections) {
        print(`    ${topics[topic].opening}`)
        for (const item of items) {
          const facts = factsOf(item, time).map(([label, value]) => `${label} ${value}`)
          print(`      ${[titleOf(item), ...facts].join(', ')}`)
        }
      }
    }
    if (rejected.length === 0 && notifications.length === 0) print('  nothing')
  }
}
