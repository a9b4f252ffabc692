import { Agent, request } from 'undici'
import { noteOutsideCheck, readRounds, takeOutsideCheck } from '../db/records/heartbeats.ts'
import { ToolError } from './connectors/connector.ts'
import { checkToolUrl, parseAllowList } from './connectors/guard.ts'
import { guardedConnect, type Resolve } from './connectors/guarded-connect.ts'
import { defaultQuietMs, findStandstills, standstillText } from './domain/standstill.ts'
import type { Workspace } from './open-workspace.ts'
import { rhythmsOf } from './rhythms.ts'

export interface OutsideCheckOptions {
  readonly speed: number
  readonly quietMs?: number
  readonly wallNow?: () => number
  readonly resolve?: Resolve
  readonly timeoutMs?: number
}

/**
 * Tells the check outside that every job ended its rounds, or, where it has a path for that, that one stands still. One process does it
 * per interval. A check that cannot be reached is noted and stops nothing. Answers whether this process pinged.
 */
export async function pingOutsideCheck(
  workspace: Pick<Workspace, 'id' | 'configuration' | 'database' | 'clock'>,
  options: OutsideCheckOptions,
): Promise<boolean> {
  const { outsideCheck } = workspace.configuration
  const url = outsideCheck?.secrets.get('url')
  if (!outsideCheck || url === undefined) return false
  const { sql } = workspace.database
  if (!(await takeOutsideCheck(sql, workspace.id, outsideCheck.everyMs, workspace.clock.now()))) return false
  const [standstill] = findStandstills(rhythmsOf(workspace.configuration, options.speed), await readRounds(sql, workspace.id), {
    now: workspace.clock.now(),
    wallNow: (options.wallNow ?? Date.now)(),
    speed: options.speed,
    quietMs: options.quietMs ?? defaultQuietMs,
  })
  if (standstill !== undefined && outsideCheck.failPath === null) {
    await noteOutsideCheck(sql, workspace.id, { ok: false, message: `Nothing was sent: ${standstillText(standstill)}` })
    return false
  }
  const result = await reach(standstill === undefined ? url : withPath(url, outsideCheck.failPath ?? ''), workspace, options)
  await noteOutsideCheck(
    sql,
    workspace.id,
    result === null
      ? {
          ok: standstill === undefined,
          message: standstill === undefined ? 'It was told that all is going on.' : `It was told: ${standstillText(standstill)}`,
        }
      : { ok: false, message: result },
  )
  return true
}

function withPath(url: string, path: string): string {
  const failing = new URL(url)
  failing.pathname = `${failing.pathname.replace(/\/$/, '')}/${path.replace(/^\//, '')}`
  return failing.href
}

/** Null: it answered well. Else why not, without the address: who knows it may ping. */
async function reach(
  url: string,
  { configuration }: Pick<Workspace, 'configuration'>,
  { resolve, timeoutMs = 10_000 }: OutsideCheckOptions,
): Promise<string | null> {
  const fail = (reason: ToolError['reason'], what: string) => new ToolError(reason, `The check outside: ${what}`)
  const allow = parseAllowList(configuration.egressAllow)
  const deadline = AbortSignal.timeout(timeoutMs)
  const dispatcher = new Agent({
    connect: guardedConnect({ allow, fail, ...(resolve === undefined ? {} : { resolve }) }, Math.min(5_000, timeoutMs)),
  })
  try {
    const verdict = checkToolUrl(url, allow)
    if (!verdict.ok) throw fail('refused_address', `its address ${verdict.why}. Nothing was sent.`)
    const { statusCode, body } = await request(url, { dispatcher, signal: deadline, headers: { 'user-agent': 'throughline/0.1' } })
    body.on('error', () => {})
    await body.dump({ limit: 65_536 }).catch(() => {})
    if (statusCode >= 300 && statusCode < 400) throw fail('bad_response', `it redirected (${statusCode}), which is not followed.`)
    if (statusCode < 200 || statusCode >= 300) throw fail('bad_response', `it answered ${statusCode}.`)
    return null
  } catch (error) {
    if (error instanceof ToolError) return error.message
    if (error instanceof Error && error.cause instanceof ToolError) return error.cause.message
    if (deadline.aborted) return fail('timeout', `it did not answer within ${timeoutMs / 1000} s.`).message
    const code = (error as { code?: unknown }).code
    return fail(
      'network',
      `it could not be reached (${typeof code === 'string' && /^[A-Z0-9_]{3,40}$/.test(code) ? code : 'no connection'}).`,
    ).message
  } finally {
    await dispatcher.destroy()
  }
}
