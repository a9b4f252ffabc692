import { z } from 'zod'
import { alreadyDone, mustNot, performing, refused, toolAction } from '../../act.ts'
import type { ActContext, Preflight } from '../../connector.ts'
import { postMessage } from '../client.ts'
import type { TwilioConfig } from '../index.ts'
import { finalStatuses, templateOf } from '../map.ts'
import type { SentMessage } from './message.ts'
import { findSent, hasArrived, isLost, messageEvidence, messageOf, messageSid, resultOfSending, sentTo } from './message.ts'

const input = z.strictObject({ message: messageSid })

const senderOf = ({ messaging_service_sid: service, from }: SentMessage) =>
  service === null ? { From: from ?? undefined } : { MessagingServiceSid: service }

/** The same text to the same number, later than `original` and not lost. */
const repeats = (original: SentMessage) => (one: SentMessage) =>
  one.sid !== original.sid && one.body === original.body && one.date_created >= original.date_created && !isLost(one)

type Look = Preflight | { readonly kind: 'go'; readonly original: SentMessage; readonly to: string }

async function look(ctx: ActContext<TwilioConfig>, sid: string): Promise<Look> {
  const original = await messageOf(ctx, sid)
  if (original === null) return mustNot(`Twilio (${ctx.connection}) has no message ${sid}: it was deleted there, or is of another account.`)
  if (original.direction === 'inbound') return mustNot('The message came from the person: there is nothing to send again.')
  if (original.status === 'delivered' || original.status === 'read')
    return { kind: 'already', message: 'The message has arrived already.', evidence: messageEvidence(sid) }
  if (!finalStatuses.has(original.status))
    return mustNot(`The message is ${original.status}, still on its way: wait until it arrives or is lost.`)
  if (String(original.error_code) === '21610') return mustNot('The person has opted out of texts: reach them another way.')
  if (!original.body || original.to === null)
    return mustNot('Its text or number is no longer kept at Twilio: send it from where it came from.')
  if (Number(original.num_media ?? 0) > 0) return mustNot('The message carries pictures, which cannot be sent again from here.')
  const later = await sentTo(ctx, original.to, original.date_created)
  if (later === null) return mustNot('This number was sent too much to tell whether it was sent again already. Look in Twilio.')
  const again = later.find(repeats(original))
  if (again)
    return {
      kind: 'already',
      message: `It was sent again already: message ${again.sid} is ${again.status}.`,
      evidence: messageEvidence(again.sid),
    }
  return { kind: 'go', original, to: original.to }
}

export const resend = toolAction<TwilioConfig, typeof input>({
  name: 'resend',
  title: 'Send a message again',
  does: 'Sends the text of a message that did not arrive to the same number once more.',
  reach: 'message',
  repeat: { keyHours: null, lookUp: true },
  input,
  verifyBy: { stream: 'messages', withinSeconds: 7200 },

  async preflight(ctx, { message: sid }): Promise<Preflight> {
    const found = await look(ctx, sid)
    if (found.kind !== 'go') return found
    const { original } = found
    const template = templateOf(original, ctx.config, false)
    return {
      kind: 'ready',
      sends: [
        { label: 'To', value: `the number of message ${sid} (withheld)` },
        { label: 'Text', value: `the same again (withheld)${template === null ? '' : `: ${template}`}` },
        { label: 'From', value: original.messaging_service_sid ?? 'the same number' },
      ],
      sees: [
        { label: 'Status', value: original.status },
        { label: 'Error', value: original.error_code === null ? 'none' : String(original.error_code) },
      ],
      amount: null,
    }
  },

  perform: (ctx, { message: sid }) =>
    performing(async () => {
      const found = await look(ctx, sid)
      if (found.kind === 'already') return alreadyDone(found.message, found.evidence)
      if (found.kind !== 'go') return refused(found.kind === 'refused' ? found.message : '')
      const { original, to } = found
      return resultOfSending(ctx, await postMessage(ctx, { To: to, Body: original.body ?? '', ...senderOf(original) }))
    }),

  async lookUp(ctx, { message: sid }, { since }) {
    const original = await messageOf(ctx, sid)
    if (original === null || original.to === null || !original.body) return null
    return findSent(ctx, original.to, since, (one) => one.sid !== sid && one.body === original.body)
  },

  shows: (record, _, evidence) => hasArrived(record, evidence),
})
