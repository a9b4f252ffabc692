import { z } from 'zod'
import { done, refused, unlikeYes, withoutYes } from '../../act.ts'
import type { ActContext, ActResult, EvidenceRef, LookUp, StoredRecord } from '../../connector.ts'
import { readEnvelope } from '../../pass.ts'
import type { Sent } from '../../sent.ts'
import { listMessagesTo, readMessage } from '../client.ts'
import type { TwilioConfig } from '../index.ts'
import { messageSchema } from '../map.ts'

type Context = ActContext<TwilioConfig>

const sentSchema = messageSchema.extend({ num_media: z.union([z.string(), z.int()]).nullish() })
/** Holds a number and a text: it never leaves the action. */
export type SentMessage = z.infer<typeof sentSchema>

export const messageSid = z
  .string()
  .regex(/^(SM|MM)[0-9a-fA-F]{32}$/)
  .describe('A message, as Twilio numbers it: SM…')

/** Twilio shows a message in its list this much later than it took it, at most; before that, not to find it means nothing. */
const showsWithinMs = 120_000
const pagesAtMost = 5
const lost = new Set(['failed', 'undelivered', 'canceled'])
export const isLost = ({ status }: { readonly status: string }) => lost.has(status)

/** The message as Twilio shows it now; null: it was deleted there. @throws ToolError */
export async function messageOf(ctx: Context, sid: string): Promise<SentMessage | null> {
  const response = await readMessage(ctx, sid)
  return response === null ? null : readEnvelope(ctx, sentSchema, response.json, 'the message')
}

/** What went out to a number since a time, newest first; null: too much to read. @throws ToolError */
export async function sentTo(ctx: Context, to: string, since: number): Promise<readonly SentMessage[] | null> {
  const found: SentMessage[] = []
  let next: string | null = null
  for (let pages = 0; pages < pagesAtMost; pages++) {
    const page = await listMessagesTo(ctx, to, next)
    const messages = readEnvelope(ctx, z.array(sentSchema), page.data, 'messages')
    // Twilio tells whole seconds.
    found.push(...messages.filter((one) => one.direction !== 'inbound' && one.date_created >= Math.floor(since / 1000) * 1000))
    next = page.next
    const oldest = Math.min(...messages.map((one) => one.date_created))
    if (next === null || oldest < since - showsWithinMs) return found
  }
  return null
}

/** Whether an attempt begun at `since` sent something that `isOurs` knows again. @throws ToolError */
export async function findSent(ctx: Context, to: string, since: number, isOurs: (message: SentMessage) => boolean): Promise<LookUp> {
  const messages = await sentTo(ctx, to, since)
  const ours = messages?.findLast(isOurs)
  if (ours) return { isDone: true, evidence: messageEvidence(ours.sid) }
  // A text that was redacted meanwhile can no longer be compared.
  if (messages === null || messages.some(({ body }) => !body)) return null
  return ctx.now - since < showsWithinMs ? null : { isDone: false }
}

export const messageEvidence = (sid: string): EvidenceRef => ({ stream: 'messages', externalId: sid })

const madeSchema = z.object({ sid: messageSid, status: z.string() })
const errorSchema = z.object({ code: z.int() })
/** https://www.twilio.com/docs/api/errors */
const reasons: Readonly<Record<number, string>> = {
  21211: 'The number is not one that can be reached.',
  21610: 'The person has opted out of texts: reach them another way.',
  21612: 'This sender cannot reach that number.',
  21614: 'The number cannot receive texts.',
  21656: 'The variables of the content template do not fit it.',
}

export function resultOfSending(ctx: Context, sent: Sent): ActResult {
  if (sent.kind === 'answered') {
    const made = madeSchema.safeParse(sent.response.json)
    if (!made.success) return unlikeYes(ctx, 'the message')
    if (isLost(made.data)) return refused(`Twilio made message ${made.data.sid}, and it ${made.data.status} at once.`)
    return done(`Twilio took message ${made.data.sid}; it is ${made.data.status}.`, messageEvidence(made.data.sid))
  }
  const code = sent.kind === 'not_done' ? errorSchema.safeParse(sent.json).data?.code : undefined
  return withoutYes(sent, code === undefined ? null : (reasons[code] ?? `Twilio's error ${code}: see twilio.com/docs/errors/${code}.`))
}

/** Arrived, by the carrier's word: `sent` is not yet that. */
export function hasArrived({ stream, externalId, status, isDeleted }: StoredRecord, evidence: EvidenceRef | null): boolean {
  return stream === 'messages' && externalId === evidence?.externalId && (status === 'delivered' || status === 'read') && !isDeleted
}
