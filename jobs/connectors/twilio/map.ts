import { z } from 'zod'
import type { Actor, ObjectRef } from '../../domain/facts.ts'
import { seal } from '../../domain/plain.ts'
import type { Drift, ReadEvent, ReadRecord, StreamSpec } from '../connector.ts'
import { knownStatus, parseTime, text, textOrNull, versionByProgress } from '../record.ts'
import type { TwilioConfig } from './index.ts'

const time = text.transform((value, context) => {
  const at = parseTime(value)
  if (at !== null) return at
  context.addIssue({ code: 'custom', message: 'not a time' })
  return z.NEVER
})

export const messageSchema = z.object({
  sid: text.regex(/^(SM|MM)[0-9a-fA-F]{32}$/),
  status: text,
  direction: text,
  to: textOrNull,
  from: textOrNull,
  body: textOrNull,
  date_created: time,
  date_sent: time.nullable(),
  date_updated: time,
  error_code: z.union([z.int(), text]).nullable(),
  messaging_service_sid: textOrNull,
})
export type Message = z.infer<typeof messageSchema>

/** States that change no more; `sent` is not one: carriers report delivery later. */
export const finalStatuses: ReadonlySet<string> = new Set(['delivered', 'undelivered', 'failed', 'received', 'read', 'canceled'])
const beforeSending = new Set(['accepted', 'scheduled', 'queued', 'sending', 'canceled'])

/** The body is matched in memory and dropped: only the template's name and the object ids in its links are kept. */
export function toMessage(message: Message, config: TwilioConfig, spec: StreamSpec): { record: ReadRecord; drift: readonly Drift[] } {
  const { status, drift } = knownStatus(message.status, spec.statuses, 'status')
  const inbound = message.direction === 'inbound'
  const actor = inbound ? ({ kind: 'person', id: null } as const) : senderOf(message, config)
  const events: ReadEvent[] = [{ type: 'message.created', occurredAt: message.date_created, status: null, actor }]
  if (inbound) {
    events.push({ type: `message.${status}`, occurredAt: message.date_sent ?? message.date_created, status, actor })
  } else {
    const sentAt = message.date_sent
    if (sentAt !== null && !beforeSending.has(status) && status !== 'sent')
      events.push({ type: 'message.sent', occurredAt: sentAt, status: 'sent', actor })
    events.push({
      type: `message.${status}`,
      occurredAt: status === 'sent' ? (sentAt ?? message.date_updated) : message.date_updated,
      status,
      actor,
    })
  }
  const contact = (inbound ? message.from : message.to)?.replace(/^[a-z]+:/, '')
  return {
    drift,
    record: {
      externalId: message.sid,
      updatedAt: message.date_updated,
      version: versionByProgress(message.status, spec.statuses ?? []),
      status,
      ops: {
        direction: inbound ? 'inbound' : 'outbound',
        template: templateOf(message, config, inbound),
        errorCode: message.error_code === null ? null : String(message.error_code),
      },
      objects: objectsOf(message, config),
      person: seal({ role: 'contact', reference: firstGroup(config.reference_pattern, message.body), phones: [contact] }),
      events,
    },
  }
}

function senderOf(message: Message, config: TwilioConfig): Actor {
  const service = message.messaging_service_sid
  const known =
    (service === null ? undefined : config.producers[service]) ?? (message.from === null ? undefined : config.producers[message.from])
  if (known !== undefined) return { kind: 'automation', id: known }
  return service === null ? { kind: 'unknown', id: null } : { kind: 'automation', id: service }
}

export function templateOf(message: Pick<Message, 'body'>, config: TwilioConfig, inbound: boolean): string | null {
  const body = message.body?.slice(0, 1600) ?? ''
  const direction = inbound ? 'inbound' : 'outbound'
  const found = config.templates.find((one) => (one.direction ?? direction) === direction && new RegExp(one.pattern, 'iu').test(body))
  return found?.name ?? null
}

export function objectsOf(message: Pick<Message, 'body'>, config: TwilioConfig): ObjectRef[] {
  return Object.entries(config.objects).flatMap(([type, pattern]) => {
    const id = firstGroup(pattern, message.body)
    return id === null ? [] : [{ type, id }]
  })
}

function firstGroup(pattern: string | undefined, body: string | null): string | null {
  if (pattern === undefined || body === null) return null
  return new RegExp(pattern, 'iu').exec(body.slice(0, 1600))?.[1] ?? null
}
