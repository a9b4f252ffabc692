import type { DeliveryChannel, DeliveryState } from '../schema/reports.ts'
import type { Sql } from './bulk.ts'
import { instant } from './bulk.ts'

export interface DeliveryRow {
  readonly channel: DeliveryChannel
  readonly target: string
  readonly state: DeliveryState
  readonly attempts: number
  /** Wall times, epoch ms. */
  readonly nextAt: number | null
  readonly sentAt: number | null
  /** Why it did not arrive, without an address. */
  readonly reason: string | null
}

export async function listDeliveries(sql: Sql, workspaceId: number, day: string): Promise<readonly DeliveryRow[]> {
  return sql<DeliveryRow[]>`
    select channel, target, state, attempts, round(date_part('epoch', next_at) * 1000) as "nextAt",
      round(date_part('epoch', sent_at) * 1000) as "sentAt", reason
    from report_deliveries where workspace_id = ${workspaceId} and day = ${day}::text::date order by channel, target`
}

/** Deliveries of each of these days by state. */
export async function countDeliveries(
  sql: Sql,
  workspaceId: number,
  days: readonly string[],
): Promise<ReadonlyMap<string, Partial<Record<DeliveryState, number>>>> {
  if (days.length === 0) return new Map()
  const rows = await sql<{ day: string; state: DeliveryState; count: number }[]>`
    select day::text as day, state, count(*)::int as count from report_deliveries
    where workspace_id = ${workspaceId} and day = any(${[...days]}::text[]::date[]) group by 1, 2`
  const byDay = new Map<string, Partial<Record<DeliveryState, number>>>()
  for (const { day, state, count } of rows) byDay.set(day, { ...byDay.get(day), [state]: count })
  return byDay
}

export interface Claimed {
  readonly day: string
  readonly channel: DeliveryChannel
  readonly target: string
  readonly messageId: string
  readonly attempts: number
}

/** Whether something waits to be sent, or was being sent by a process that is gone. */
export async function hasDueDeliveries(sql: Sql, workspaceId: number, wallNow: number): Promise<boolean> {
  const [row] = await sql<{ due: boolean }[]>`
    select exists (select from report_deliveries where workspace_id = ${workspaceId} and next_at <= ${instant(wallNow)}::timestamptz
      and coalesce(claimed_until <= ${instant(wallNow)}::timestamptz, true)) as due`
  return row?.due ?? false
}

/** Takes the next one that is due, for as long as the lease lasts: nobody else sends it meanwhile. */
export async function claimDelivery(sql: Sql, workspaceId: number, wallNow: number, leaseMs: number): Promise<Claimed | undefined> {
  const now = instant(wallNow)
  const [row] = await sql<Claimed[]>`
    update report_deliveries set claimed_until = ${instant(wallNow + leaseMs)}::timestamptz, attempts = attempts + 1
    where (workspace_id, day, channel, target) = (select workspace_id, day, channel, target from report_deliveries
      where workspace_id = ${workspaceId} and state = 'waiting' and next_at <= ${now}::timestamptz
        and coalesce(claimed_until <= ${now}::timestamptz, true)
      order by next_at, day, channel, target limit 1 for update skip locked)
    returning day::text as day, channel, target, message_id as "messageId", attempts`
  return row
}

/** Written before a message is handed over, so that a crash after it is known. False: someone else has it by now. */
export async function markSending(sql: Sql, workspaceId: number, claimed: Claimed): Promise<boolean> {
  const result = await sql`update report_deliveries set state = 'sending' where ${theSame(sql, workspaceId, claimed)} and state = 'waiting'`
  return result.count === 1
}

export async function settleDelivery(
  sql: Sql,
  workspaceId: number,
  claimed: Claimed,
  outcome: {
    readonly state: DeliveryState
    readonly reason: string | null
    readonly nextAt: number | null
    readonly sentAt: number | null
  },
  at: number,
): Promise<void> {
  await sql.begin(async (tx) => {
    const settled = await tx`update report_deliveries set state = ${outcome.state}, reason = ${outcome.reason},
      next_at = ${instant(outcome.nextAt)}::timestamptz, sent_at = ${instant(outcome.sentAt)}::timestamptz, claimed_until = null
      where ${theSame(tx, workspaceId, claimed)}`
    if (settled.count === 1)
      await tx`insert into feed (workspace_id, topic, ref, at) values (${workspaceId}, 'report', ${claimed.day}, ${instant(at)}::timestamptz)`
  })
}

/** Mails that were being handed over by a process that is gone: whether they arrived nobody here knows. Answers how many. */
export async function settleLost(sql: Sql, workspaceId: number, wallNow: number, reason: string): Promise<number> {
  const result = await sql`update report_deliveries set state = 'unknown', reason = ${reason}, next_at = null, claimed_until = null
    where workspace_id = ${workspaceId} and state = 'sending' and next_at is not null and claimed_until <= ${instant(wallNow)}::timestamptz`
  return result.count
}

/** The attempt it was claimed for: a later claim by another process holds. */
function theSame(sql: Sql | Parameters<Parameters<Sql['begin']>[1]>[0], workspaceId: number, { day, channel, target, attempts }: Claimed) {
  return sql`workspace_id = ${workspaceId} and day = ${day}::text::date and channel = ${channel} and target = ${target} and attempts = ${attempts}`
}
