import { canary } from '../canary.ts'
import type { Person } from '../people.ts'
import type { Random } from '../random.ts'
import { hexDigits } from '../random.ts'
import { rfc2822, second } from '../times.ts'
import type { Resource, Script } from '../writes.ts'

export const accountSid = 'AC0123456789abcdef0123456789abcdef'
export const clinicNumber = '+18335550100'

/** Messaging services: which automation sends through which. */
export const senders = {
  'wf-12': `MG${'12'.repeat(16)}`,
  'wf-14': `MG${'14'.repeat(16)}`,
  'wf-15': `MG${'15'.repeat(16)}`,
  'zap-7': `MG${'77'.repeat(16)}`,
} as const
export type Sender = keyof typeof senders

export const templates = {
  'booking-confirmation': 'your visit is confirmed',
  reminder: 'a reminder of your visit',
  'follow-up': 'thank you for your visit',
  goodbye: 'we are sorry to see you go',
  'check-in': 'how are you feeling this week',
} as const
export type Template = keyof typeof templates

export type Delivery = { readonly state: 'delivered' | 'undelivered'; readonly afterMs: number }

export interface Message {
  readonly sid: string
  readonly finalAt: number
}

/** Content templates, as the clinic had them approved: their variables are filled with ids. Named in demo/connections.yaml. */
export const contents = {
  HXc0f1c0f1c0f1c0f1c0f1c0f1c0f1c0f1: 'Hello, your visit is confirmed. https://visit.northwind.example/a/{{1}}',
  HX4e314e314e314e314e314e314e314e31: 'Hello, a reminder of your visit. https://visit.northwind.example/a/{{1}}',
} as const

function message(random: Random, at: number, fields: Resource): Resource {
  return messageOf(`SM${random.text(32, hexDigits)}`, at, fields)
}

export function messageOf(sid: string, at: number, fields: Resource): Resource {
  const uri = `/2010-04-01/Accounts/${accountSid}/Messages/${sid}.json`
  return {
    sid,
    account_sid: accountSid,
    api_version: '2010-04-01',
    date_created: rfc2822(at),
    date_sent: null,
    date_updated: rfc2822(at),
    error_code: null,
    error_message: null,
    num_media: '0',
    num_segments: '1',
    price: null,
    price_unit: 'USD',
    subresource_uris: { media: uri.replace('.json', '/Media.json') },
    uri,
    ...fields,
  }
}

/** An outbound message: queued, sent, and some time later delivered or not. The link carries the appointment and the member's reference. */
export function send(
  script: Script,
  random: Random,
  person: Person,
  at: number,
  options: { template: Template; sender: Sender; appointment?: string; withRef?: boolean; delivery?: Delivery },
): Message {
  const delivery = options.delivery ?? { state: 'delivered', afterMs: random.int(3, 45) * second }
  const ref = options.withRef === false || person.ref === null ? '' : `?r=${person.ref}`
  const link = `https://visit.northwind.example/${options.appointment === undefined ? 'm' : `a/${options.appointment}`}${ref}`
  const queued = message(random, at, {
    body: `Hello ${person.given}, ${templates[options.template]}. ${link} ${canary('twilio.body', person.key)}`,
    direction: 'outbound-api',
    from: clinicNumber,
    to: person.phone,
    messaging_service_sid: senders[options.sender],
    status: 'queued',
  })
  const sid = String(queued.sid)
  const sentAt = at + Math.min(random.int(1, 4) * second, Math.max(second, delivery.afterMs - second))
  const finalAt = Math.max(at + delivery.afterMs, sentAt + second)
  const sent: Resource = { ...queued, status: 'sent', date_sent: rfc2822(sentAt), date_updated: rfc2822(sentAt) }
  script.write('twilio.messages', sid, at, queued)
  script.write('twilio.messages', sid, sentAt, sent)
  script.write('twilio.messages', sid, finalAt, {
    ...sent,
    status: delivery.state,
    date_updated: rfc2822(finalAt),
    price: '-0.00790',
    ...(delivery.state === 'undelivered'
      ? { error_code: 30003, error_message: `Unreachable destination handset ${canary('twilio.error', sid)}` }
      : {}),
  })
  return { sid, finalAt }
}

export function receive(script: Script, random: Random, person: Person, at: number, text: string): Message {
  const body = message(random, at, {
    body: text,
    direction: 'inbound',
    from: person.phone,
    to: clinicNumber,
    messaging_service_sid: senders['wf-12'],
    status: 'received',
    date_sent: rfc2822(at),
  })
  const sid = String(body.sid)
  script.write('twilio.messages', sid, at, body)
  return { sid, finalAt: at }
}
