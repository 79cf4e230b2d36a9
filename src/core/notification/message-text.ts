import { groupResourceName, roleResourceName } from '../names/resource-name.ts'
import { daysBetween } from './days.ts'
import type { NoticeItem, Notification } from './notice.ts'
import { type NotificationTopic, topics } from './topics.ts'

/** What surrounds the facts of a message. */
export interface MessageFrame {
  /** Subject lines by topic, and that of a digest. */
  readonly subjects: Readonly<Record<NotificationTopic | 'digest', string>>
  /** Page on which requests are decided. */
  readonly workflowUrl?: string | undefined
  /** Page of the user interface. */
  readonly uiUrl?: string | undefined
  readonly supportText?: string | undefined
  readonly supportUrl?: string | undefined
  /** Page about failing certificates. */
  readonly guideUrl?: string | undefined
}

/** A message for people. */
export interface MessageText {
  /** One line. */
  readonly subject: string
  readonly text: string
  readonly html: string
}

/** The facts of an item in the order in which they are told, with their words. */
const FACTS: readonly { readonly field: keyof NoticeItem; readonly label: string; readonly isTime?: true }[] = [
  { field: 'member', label: 'member' },
  { field: 'expiration', label: 'ends', isTime: true },
  { field: 'reviewReminder', label: 'review by', isTime: true },
  { field: 'pendingState', label: 'asked for' },
  { field: 'requester', label: 'asked by' },
  { field: 'requestTime', label: 'asked on', isTime: true },
  { field: 'membershipDecision', label: 'decision' },
  { field: 'actionPrincipal', label: 'decided by' },
  { field: 'reason', label: 'reason' },
  { field: 'provider', label: 'provider' },
  { field: 'instanceId', label: 'instance' },
  { field: 'hostName', label: 'host' },
  { field: 'updateTime', label: 'refreshed', isTime: true },
  { field: 'server', label: 'told by' },
  { field: 'notifyDetails', label: 'note' },
]

const STATE_WORDS: ReadonlyMap<string, string> = new Map([
  ['ADD', 'membership'],
  ['DELETE', 'end of the membership'],
])

const LABEL_WIDTH = Math.max(...FACTS.map(({ label }) => label.length))
const CLOSING = 'You get this message because of your memberships in Athenz.'

/** Puts a notification into words: plain text, and the same as HTML with everything from the data escaped. */
export function messageText({ sections, created }: Notification, frame: MessageFrame): MessageText {
  const [first] = sections
  const subject = sections.length === 1 && first ? frame.subjects[first.topic] : frame.subjects.digest
  const text: string[] = []
  const html: string[] = []
  for (const { topic, items } of sections) {
    const { opening, advice, page } = topics[topic]
    text.push(opening, '')
    html.push(`<p>${escapeHtml(opening)}</p>`, '<table cellpadding="4">')
    for (const item of items) {
      const title = titleOf(item)
      const facts = factsOf(item, created)
      text.push(`  ${title}`, ...facts.map(([label, value]) => `    ${label.padEnd(LABEL_WIDTH)}  ${value}`), '')
      html.push(`<tr><th colspan="2" align="left">${escapeHtml(title)}</th></tr>`)
      for (const [label, value] of facts) {
        html.push(`<tr><td>${escapeHtml(label)}</td><td>${escapeHtml(value)}</td></tr>`)
      }
    }
    text.push(advice)
    html.push('</table>', `<p>${escapeHtml(advice)}</p>`)
    const url = topic === 'certificateRefresh' ? frame.guideUrl : page === 'workflow' ? frame.workflowUrl : frame.uiUrl
    if (url !== undefined) {
      text.push(url)
      html.push(`<p>${link(url)}</p>`)
    }
    text.push('')
  }
  text.push('-- ', CLOSING)
  html.push('<hr>', `<p>${CLOSING}</p>`)
  if (frame.supportText !== undefined) {
    text.push(oneLine(frame.supportText))
    html.push(`<p>${escapeHtml(oneLine(frame.supportText))}</p>`)
  }
  if (frame.supportUrl !== undefined) {
    text.push(frame.supportUrl)
    html.push(`<p>${link(frame.supportUrl)}</p>`)
  }
  return {
    subject: oneLine(subject),
    text: `${text.join('\n')}\n`,
    html: `<!DOCTYPE html>\n<html><body>\n${html.join('\n')}\n</body></html>\n`,
  }
}

/** The object that an item is about. */
export function titleOf({ domain, role, group, service }: NoticeItem): string {
  if (role !== undefined) return oneLine(`role ${roleResourceName(domain, role)}`)
  if (group !== undefined) return oneLine(`group ${groupResourceName(domain, group)}`)
  return oneLine(service === undefined ? domain : `service ${domain}.${service}`)
}

/** Labels and values of what is known of an item, each one line. */
export function factsOf(item: NoticeItem, now: number): (readonly [label: string, value: string])[] {
  return FACTS.flatMap(({ field, label, isTime }) => {
    const value = item[field]
    if (value === undefined) return []
    if (isTime) return [[label, dated(value as number, now)] as const]
    const text = String(value)
    return [[label, oneLine(field === 'pendingState' ? (STATE_WORDS.get(text) ?? text) : text)] as const]
  })
}

function dated(time: number, now: number): string {
  const iso = new Date(time).toISOString()
  const days = daysBetween(now, time)
  const distance =
    days === 0
      ? 'today'
      : days > 0
        ? `in ${days} day${days === 1 ? '' : 's'}`
        : `${-days} day${days === -1 ? '' : 's'} ago`
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC (${distance})`
}

/** A text without anything that begins a new line or moves the cursor: data must not look like headers or other facts. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim()

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
])

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES.get(sign) ?? '')

const link = (url: string): string => `<a href="${escapeHtml(url)}">${escapeHtml(url)}</a>`
