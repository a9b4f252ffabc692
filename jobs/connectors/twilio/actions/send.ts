import { z } from 'zod'
import { alreadyDone, mustNot, performing, refused, toolAction } from '../../act.ts'
import type { ActContext, Preflight } from '../../connector.ts'
import { postMessage } from '../client.ts'
import type { TwilioConfig } from '../index.ts'
import { objectsOf, templateOf } from '../map.ts'
import type { SentMessage } from './message.ts'
import { findSent, hasArrived, isLost, messageEvidence, messageOf, messageSid, resultOfSending, sentTo } from './message.ts'

const input = z.strictObject({
  template: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/)
    .describe('A template of the connection that has `content`.'),
  recipient_of: messageSid.describe('Any message to or from the person: the number is read from it in Twilio.'),
  about: z
    .record(z.string().regex(/^[a-z][a-z0-9_]{0,40}$/), z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/))
    .optional()
    .describe('Object type to id: what the variables of the template are filled with.'),
})
type Input = z.output<typeof input>
type Context = ActContext<TwilioConfig>

/** Without an object to be about, one of the same template this recent is the same message. */
const recentMs = 86_400_000
/** With one: as far back as it can have been sent. */
const everMs = 90 * 86_400_000

interface Ready {
  readonly kind: 'go'
  readonly to: string
  readonly content: { readonly sid: string; readonly messaging_service: string }
  readonly variables: Readonly<Record<string, string>>
}

const isSame = (ctx: Context, { template, about = {} }: Input) => {
  return (one: SentMessage) => {
    if (templateOf(one, ctx.config, false) !== template) return false
    const objects = objectsOf(one, ctx.config)
    return Object.entries(about).every(
      ([type, id]) => !(type in ctx.config.objects) || objects.some((object) => object.type === type && object.id === id),
    )
  }
}

async function recipientOf(ctx: Context, { recipient_of: sid }: Input): Promise<string | null> {
  const known = await messageOf(ctx, sid)
  return (known?.direction === 'inbound' ? known.from : known?.to) ?? null
}

async function look(ctx: Context, given: Input): Promise<Preflight | Ready> {
  const { template, recipient_of: sid, about = {} } = given
  const content = ctx.config.templates.find((one) => one.name === template && one.content)?.content
  if (!content) {
    const sendable = ctx.config.templates.flatMap((one) => (one.content ? [one.name] : []))
    return mustNot(
      `Connection ${ctx.connection} cannot send ${template}: give that template its \`content\` in connections.yaml. It can send ${sendable.join(', ') || 'none yet'}.`,
    )
  }
  const missing = content.variables.filter((type) => about[type] === undefined)
  if (missing.length > 0) return mustNot(`The template ${template} needs to know the ${missing.join(' and the ')} it is about.`)
  const to = await recipientOf(ctx, given)
  if (to === null)
    return mustNot(
      `Twilio (${ctx.connection}) no longer shows whom message ${sid} was exchanged with. Choose another message of the person.`,
    )
  const since = ctx.now - (Object.keys(about).length > 0 ? everMs : recentMs)
  const sent = await sentTo(ctx, to, since)
  if (sent === null) return mustNot('This number was sent too much to tell whether it has the message already. Look in Twilio.')
  const same = sent.find((one) => isSame(ctx, given)(one) && !isLost(one))
  if (same)
    return { kind: 'already', message: `It was sent already: message ${same.sid} is ${same.status}.`, evidence: messageEvidence(same.sid) }
  return {
    kind: 'go',
    to,
    content,
    variables: Object.fromEntries(content.variables.map((type, index) => [String(index + 1), about[type] ?? ''])),
  }
}

export const send = toolAction<TwilioConfig, typeof input>({
  name: 'send',
  title: 'Send a template',
  does: 'Sends one of the approved templates, filled with ids only, to the person of an earlier message.',
  reach: 'message',
  repeat: { keyHours: null, lookUp: true },
  input,
  verifyBy: { stream: 'messages', withinSeconds: 7200 },

  async preflight(ctx, given): Promise<Preflight> {
    const found = await look(ctx, given)
    if (found.kind !== 'go') return found
    const filled = Object.entries(given.about ?? {}).map(([type, id]) => `${type} ${id}`)
    return {
      kind: 'ready',
      sends: [
        { label: 'To', value: `the number of message ${given.recipient_of} (withheld)` },
        { label: 'Template', value: `${given.template} (${found.content.sid})` },
        { label: 'About', value: filled.join(', ') || 'nothing' },
        { label: 'From', value: found.content.messaging_service },
      ],
      sees: [{ label: 'Sent already', value: 'no' }],
      amount: null,
    }
  },

  perform: (ctx, given) =>
    performing(async () => {
      const found = await look(ctx, given)
      if (found.kind === 'already') return alreadyDone(found.message, found.evidence)
      if (found.kind !== 'go') return refused(found.kind === 'refused' ? found.message : '')
      const { to, content, variables } = found
      const sent = await postMessage(ctx, {
        To: to,
        ContentSid: content.sid,
        ContentVariables: Object.keys(variables).length === 0 ? undefined : JSON.stringify(variables),
        MessagingServiceSid: content.messaging_service,
      })
      return resultOfSending(ctx, sent)
    }),

  async lookUp(ctx, given, { since }) {
    const to = await recipientOf(ctx, given)
    return to === null ? null : findSent(ctx, to, since, isSame(ctx, given))
  },

  shows: (record, { template }, evidence) => hasArrived(record, evidence) && record.ops.template === template,
})
