import type { z } from 'zod'
import type { ActContext, ActResult, EvidenceRef, Preflight, ToolAction } from './connector.ts'
import { ToolError } from './connector.ts'
import type { Sent } from './sent.ts'

/** An action whose input is typed by its own schema. */
export function toolAction<Config, Schema extends z.ZodType>(
  action: ToolAction<Config, z.output<Schema>> & { readonly input: Schema },
): ToolAction<Config, z.output<Schema>> {
  return action
}

export const done = (message: string, evidence: EvidenceRef): ActResult => ({ outcome: 'done', message, evidence })
export const alreadyDone = (message: string, evidence: EvidenceRef | null): ActResult => ({ outcome: 'already_done', message, evidence })
export const unknown = (message: string): ActResult => ({ outcome: 'unknown', message, evidence: null })
export function refused(message: string, againAfterMs?: number): ActResult {
  return { outcome: 'refused', message, evidence: null, ...(againAfterMs === undefined ? {} : { againAfterMs }) }
}
export const mustNot = (message: string): Preflight => ({ kind: 'refused', message })

/** What a write without a clear yes means. `why` puts a known word of the tool's no into ours. */
export function withoutYes(sent: Exclude<Sent, { kind: 'answered' }>, why?: string | null): ActResult {
  if (sent.kind === 'unclear') return unknown(sent.message)
  const mayPass = sent.status === null ? sent.reason === 'network' || sent.reason === 'timeout' : sent.reason === 'rate_limited'
  return refused(why ? `${sent.message} ${why}` : sent.message, mayPass ? (sent.retryAfterMs ?? 0) : undefined)
}

/** A 2xx that does not say what it should: an error body, another shape, another state. */
export function unlikeYes(ctx: Pick<ActContext, 'connection'>, what: string): ActResult {
  return unknown(
    `Connection ${ctx.connection}: the tool answered ${what} with success, but not with what it should show then. It may have been done: look before it is repeated.`,
  )
}

/** Reads come before the one write of an action: what fails in them sent nothing. */
export async function performing(work: () => Promise<ActResult>): Promise<ActResult> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ToolError)) throw error
    const mayPass = error.reason === 'network' || error.reason === 'rate_limited' || error.reason === 'timeout'
    return refused(`${error.message} Nothing was sent.`, mayPass ? (error.retryAfterMs ?? 0) : undefined)
  }
}

/** As a runbook's input may give it: an id of a tool, never more than one path segment. */
export const idPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** A read that may find nothing. @throws ToolError for everything but that */
export async function unlessMissing<T>(read: Promise<T>): Promise<T | null> {
  try {
    return await read
  } catch (error) {
    if (error instanceof ToolError && error.reason === 'not_found') return null
    throw error
  }
}
