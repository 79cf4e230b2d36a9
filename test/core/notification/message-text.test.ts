import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type MessageFrame, messageText, oneLine } from '#core/notification/message-text.ts'
import { notificationJson } from '#core/notification/notification-json.ts'
import { topicNames } from '#core/notification/topics.ts'
import { DAY_MILLIS, expiry, NOW, notificationOf } from './notices.ts'

const FRAME: MessageFrame = {
  subjects: Object.fromEntries([...topicNames, 'digest'].map((topic) => [topic, `about ${topic}`])) as never,
  workflowUrl: 'https://ui.example.com/workflow',
  uiUrl: 'https://ui.example.com/?a=1&b=2',
  supportText: 'Ask the team',
  supportUrl: 'https://help.example.com/',
}

const PENDING = {
  topic: 'roleReminder',
  item: {
    domain: 'sports',
    role: 'readers',
    member: 'user.joe',
    pendingState: 'DELETE',
    requester: 'user.jane',
    requestTime: NOW - DAY_MILLIS,
    reason: 'moved on',
    notifyDetails: 'see the wiki',
  },
  people: new Set<string>(),
} as const

describe('a message', () => {
  test('tells everything in plain text', () => {
    const { subject, text } = messageText(notificationOf(expiry('readers', [])), FRAME)
    assert.equal(subject, 'about roleExpiry')
    assert.equal(
      text,
      `These memberships in roles, of yourself or of what you look after, are about to end:

  role sports:role.readers
    member      user.joe
    ends        2030-01-09 03:04 UTC (in 7 days)

Without a new date the access ends at that time. Ask the administrators of the domain to extend it, or extend it yourself where the note says that you may.
https://ui.example.com/?a=1&b=2

-- 
You get this message because of your memberships in Athenz.
Ask the team
https://help.example.com/
`,
    )
  })

  test('about a request names all of it, and the page to decide it', () => {
    const { text } = messageText(notificationOf(PENDING), FRAME)
    assert.match(text, /asked for {3}end of the membership\n/)
    assert.match(text, /asked by {4}user\.jane\n/)
    assert.match(text, /asked on {4}2030-01-01 03:04 UTC \(1 day ago\)\n/)
    assert.match(text, /reason {6}moved on\n/)
    assert.match(text, /note {8}see the wiki\n/)
    assert.match(text, /https:\/\/ui\.example\.com\/workflow\n/)
  })

  test('has the subject of a digest when it has several sections', () => {
    const one = notificationOf(expiry('readers', []))
    const both = { ...one, sections: [...one.sections, ...notificationOf(PENDING).sections] }
    const { subject, text } = messageText(both, FRAME)
    assert.equal(subject, 'about digest')
    assert.match(text, /about to end:[^]*still await your decision:/)
  })

  test('does without links and support', () => {
    const { text, html } = messageText(notificationOf(PENDING), { subjects: FRAME.subjects })
    assert.doesNotMatch(text, /https?:/)
    assert.doesNotMatch(html, /<a /)
  })

  test('lets nothing of the data be markup, a header or another line', () => {
    const evil = '<script>alert("x")</script>\r\nBcc: all@example.com\u2028next\u202e\u0000'
    const { text, html } = messageText(
      notificationOf({
        ...PENDING,
        item: { ...PENDING.item, reason: evil, notifyDetails: evil, member: evil, domain: evil },
      }),
      { ...FRAME, supportText: evil, subjects: { ...FRAME.subjects, roleReminder: evil } },
    )
    assert.doesNotMatch(html, /<script/)
    assert.match(html, /&lt;script&gt;alert\(&quot;x&quot;\)&lt;\/script&gt; Bcc: all@example.com next/)
    for (const line of text.split('\n')) assert.doesNotMatch(line, /^Bcc:|\p{Cc}|\u2028|\u202e/u)
    assert.match(html, /<a href="https:\/\/help\.example\.com\/">/)
    const { html: linked } = messageText(notificationOf(expiry('r', [])), FRAME)
    assert.match(linked, /<a href="https:\/\/ui\.example\.com\/\?a=1&amp;b=2">/)
    const { subject } = messageText(notificationOf(PENDING), {
      ...FRAME,
      subjects: { ...FRAME.subjects, roleReminder: 'one\r\nBcc: two' },
    })
    assert.equal(subject, 'one Bcc: two')
  })
})

describe('a text on one line', () => {
  test('has no control characters', () => {
    assert.equal(oneLine(' a\r\n\tb\u0085c\u2029d\u007f '), 'a b c d')
  })
})

describe('a notification as data', () => {
  test('has the names of the original', () => {
    const notification = { ...notificationOf(PENDING), domain: { name: 'sports', slackChannel: 'general' } }
    assert.deepEqual(notificationJson(notification), {
      id: '00000000-0000-4000-8000-000000000001',
      created: '2030-01-02T03:04:05.000Z',
      recipients: ['user.joe'],
      domain: 'sports',
      slackChannel: 'general',
      notifications: [
        {
          type: 'PENDING_ROLE_APPROVAL',
          audience: 'admin',
          details: {
            membersList: [
              {
                domain: 'sports',
                role: 'readers',
                member: 'user.joe',
                pendingState: 'DELETE',
                requester: 'user.jane',
                requestTime: '2030-01-01T03:04:05.000Z',
                reason: 'moved on',
                notifyDetails: 'see the wiki',
              },
            ],
          },
        },
      ],
    })
  })
})
