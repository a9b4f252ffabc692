import { type Claimed, claimDelivery, markSending, settleDelivery, settleLost } from '../../db/records/report-deliveries.ts'
import { readReport } from '../../db/records/reports.ts'
import type { DeliveryState } from '../../db/schema/reports.ts'
import { defaultReports } from '../configured-reports.ts'
import { parseAllowList } from '../connectors/guard.ts'
import { ToolError } from '../connectors/connector.ts'
import type { Resolve } from '../connectors/guarded-connect.ts'
import { toOwnerMail } from '../domain/report/owner-mail.ts'
import type { Report } from '../domain/report/report.ts'
import { toReportJsonText } from '../domain/report/report-json.ts'
import type { ReportedWorkspace } from './close-days.ts'
import { postWebhook } from './post-webhook.ts'
import { sendMail } from './send-mail.ts'

export interface DeliverOptions {
  /** Leases and backoff follow wall time. */
  readonly wallNow?: () => number
  readonly signal?: AbortSignal
  readonly resolve?: Resolve
  readonly timeoutMs?: number
}

const leaseMs = 5 * 60_000
const longestWaitMs = 3_600_000
const attemptsAtMost = 30
const lostAnswer = 'It was handed to the mail server and the answer was lost, so it may have arrived. It is not sent again by itself.'

interface Outcome {
  readonly state: DeliveryState
  readonly reason: string | null
  readonly isTriedAgain?: boolean
}

/**
 * Sends what is due, one by one. A mail is sent at most once: that it is being handed over is stored before its content leaves, so after a
 * crash its fate is `unknown` and not guessed. A webhook is posted until it is taken, always under the same delivery id.
 */
export async function deliverReports(
  workspace: ReportedWorkspace,
  options: DeliverOptions = {},
): Promise<{ sent: number; failed: number }> {
  const { sql } = workspace.database
  const wallNow = options.wallNow ?? Date.now
  const counts = { sent: 0, failed: 0 }
  await settleLost(sql, workspace.id, wallNow(), lostAnswer)
  while (!options.signal?.aborted) {
    const claimed = await claimDelivery(sql, workspace.id, wallNow(), leaseMs)
    if (claimed === undefined) break
    const outcome = await deliver(workspace, claimed, { ...options, wallNow })
    if (outcome === undefined) continue
    const isLast = claimed.attempts >= attemptsAtMost
    const waitMs = Math.min(longestWaitMs, 60_000 * 2 ** (claimed.attempts - 1))
    const again = outcome.isTriedAgain === true && !isLast
    await settleDelivery(
      sql,
      workspace.id,
      claimed,
      {
        state: again ? 'waiting' : outcome.isTriedAgain ? 'given_up' : outcome.state,
        reason: outcome.reason,
        nextAt: again ? wallNow() + waitMs : null,
        sentAt: outcome.state === 'sent' ? wallNow() : null,
      },
      workspace.clock.now(),
    )
    if (outcome.state === 'sent') counts.sent++
    else counts.failed++
  }
  return counts
}

/** Undefined: another process has it by now. */
async function deliver(
  workspace: ReportedWorkspace,
  claimed: Claimed,
  options: DeliverOptions & { readonly wallNow: () => number },
): Promise<Outcome | undefined> {
  const stored = await readReport(workspace.database.sql, workspace.id, claimed.day)
  if (stored === undefined) return { state: 'given_up', reason: 'The report is not there.' }
  const report = stored.body as Report
  return claimed.channel === 'mail' ? mailOwner(workspace, claimed, report, options) : post(workspace, claimed, report, options)
}

async function mailOwner(
  workspace: ReportedWorkspace,
  claimed: Claimed,
  report: Report,
  { wallNow, resolve, timeoutMs }: DeliverOptions & { readonly wallNow: () => number },
): Promise<Outcome | undefined> {
  const { mail: settings } = workspace.configuration.reports ?? defaultReports
  const to = settings?.to.get(claimed.target)
  const content = toOwnerMail(report, claimed.target)
  if (settings === null || to === undefined || content === null) return { state: 'no_address', reason: null }
  let isMine = true
  const handover = await sendMail(
    settings.secrets.get('smtp') ?? '',
    { ...content, from: settings.from, to, messageId: `<${claimed.messageId}@${settings.from.split('@')[1]}>`, date: wallNow() },
    async () => {
      isMine = await markSending(workspace.database.sql, workspace.id, claimed)
      return isMine
    },
    { allow: parseAllowList(workspace.configuration.egressAllow), ...(resolve && { resolve }), ...(timeoutMs && { timeoutMs }) },
  )
  if (!isMine) return undefined
  switch (handover.kind) {
    case 'sent':
      return { state: 'sent', reason: handover.refused === 0 ? null : `${handover.refused} of ${to.length} addresses were refused.` }
    case 'refused':
      return { state: 'waiting', reason: handover.reason, isTriedAgain: true }
    case 'unknown':
      return { state: 'unknown', reason: lostAnswer }
  }
}

async function post(
  workspace: ReportedWorkspace,
  claimed: Claimed,
  report: Report,
  { wallNow, resolve, signal, timeoutMs }: DeliverOptions & { readonly wallNow: () => number },
): Promise<Outcome> {
  const webhook = (workspace.configuration.reports ?? defaultReports).webhooks.find(({ name }) => name === claimed.target)
  if (webhook === undefined) return { state: 'no_address', reason: null }
  const target = { name: webhook.name, url: webhook.url, secret: webhook.secrets.get('secret') ?? '' }
  try {
    await postWebhook(target, claimed.messageId, toReportJsonText(report), {
      allow: parseAllowList(workspace.configuration.egressAllow),
      wallNow,
      ...(resolve && { resolve }),
      ...(signal && { signal }),
      ...(timeoutMs && { timeoutMs }),
    })
    return { state: 'sent', reason: null }
  } catch (error) {
    if (error instanceof ToolError) return { state: 'waiting', reason: error.message, isTriedAgain: true }
    throw error
  }
}
