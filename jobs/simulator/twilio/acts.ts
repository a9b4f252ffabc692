import type { Deed, Made } from '../acts.ts'
import { canary } from '../canary.ts'
import { hexDigits, randomFrom } from '../random.ts'
import { rfc2822, second } from '../times.ts'
import type { World } from '../world.ts'
import type { Resource, Write } from '../writes.ts'
import { contents, messageOf } from './records.ts'

const error: Resource = {
  code: 20500,
  message: `Internal server error ${canary('twilio.error', 'act')}`,
  more_info: 'https://www.twilio.com/docs/errors/20500',
  status: 500,
}

const written = (at: number, sid: string, body: Resource): Write => ({
  visibleAt: at,
  updatedAt: at,
  collection: 'twilio.messages',
  id: sid,
  body,
})

/** The text a request asks for: its own, or that of a content template with its variables filled in; null: there is none such. */
export function bodyOf(form: URLSearchParams): string | null {
  const content = form.get('ContentSid')
  if (content === null) return form.get('Body')
  const text = Object.entries(contents).find(([sid]) => sid === content)?.[1]
  if (text === undefined) return null
  const variables = JSON.parse(form.get('ContentVariables') ?? '{}') as Record<string, string>
  return text.replace(/\{\{(\d+)\}\}/g, (_, name: string) => variables[name] ?? '')
}

/** A message that is queued, sent and delivered within the minute. Half of it: it is lost on the way. */
export function sendingOf(world: World, form: URLSearchParams, body: string, from: string): Deed {
  return {
    target: '',
    key: null,
    status: 201,
    error,
    make(at, { nth, isPart }): Made {
      const random = randomFrom(world.seed, 'send', at, world.acts.length + nth)
      const queued = messageOf(`SM${random.text(32, hexDigits)}`, at, {
        body,
        direction: 'outbound-api',
        from,
        to: form.get('To') ?? '',
        messaging_service_sid: form.get('MessagingServiceSid'),
        status: 'queued',
      })
      const sid = String(queued.sid)
      const [sentAt, finalAt] = [at + 2 * second, at + random.int(8, 40) * second]
      const sent: Resource = { ...queued, status: 'sent', date_sent: rfc2822(sentAt), date_updated: rfc2822(sentAt) }
      const ended = (then: number, isLost: boolean): Resource => ({
        ...sent,
        status: isLost ? 'undelivered' : 'delivered',
        date_updated: rfc2822(then),
        price: '-0.00790',
        ...(isLost ? { error_code: 30003, error_message: `Unreachable destination handset ${canary('twilio.error', sid)}` } : {}),
      })
      return {
        id: sid,
        body: queued,
        writes: [written(at, sid, queued), written(sentAt, sid, sent), written(finalAt, sid, ended(finalAt, isPart))],
        undo: (then) => [written(then, sid, ended(then, true))],
      }
    },
  }
}
