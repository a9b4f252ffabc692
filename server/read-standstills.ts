import { z } from '@hono/zod-openapi'
import { readOutsideCheck, readRounds } from '../db/records/heartbeats.ts'
import { defaultQuietMs, findStandstills, type Standstill } from '../jobs/domain/standstill.ts'
import { rhythmsOf } from '../jobs/rhythms.ts'
import type { AppDeps } from './deps.ts'
import { iso, isoTime } from './shapes/common.ts'

export const standstillShape = z
  .object({
    title: z.string(),
    /** Of the last round that ended; null: none ever did. */
    since: isoTime.nullable(),
    /** The same by the wall clock. */
    sinceWall: isoTime.nullable(),
    meaning: z.string(),
    whatToDo: z.string(),
    /** Nothing at all can be told while it stands still. */
    isVital: z.boolean(),
  })
  .openapi('Standstill')

export const outsideCheckShape = z
  .object({ everySeconds: z.number(), at: isoTime.nullable(), ok: z.boolean().nullable(), message: z.string() })
  .openapi('OutsideCheck')

/** Jobs that stand still, of this moment. */
export async function readStandstills(deps: AppDeps): Promise<readonly Standstill[]> {
  const { database, id, configuration, clock } = deps.workspace
  const speed = deps.demo()?.speed ?? 1
  return findStandstills(rhythmsOf(configuration, speed), await readRounds(database.sql, id), {
    now: clock.now(),
    wallNow: deps.wallNow(),
    speed,
    quietMs: deps.quietMs ?? defaultQuietMs,
  })
}

export function toStandstillView({ title, since, sinceWall, meaning, whatToDo, isVital }: Standstill): z.output<typeof standstillShape> {
  return { title, since: iso(since), sinceWall: iso(sinceWall), meaning, whatToDo, isVital }
}

/** How telling the check outside went; null where there is none. */
export async function readOutsideCheckView(deps: AppDeps): Promise<z.output<typeof outsideCheckShape> | null> {
  const { configuration, database, id } = deps.workspace
  if (!configuration.outsideCheck) return null
  const last = await readOutsideCheck(database.sql, id)
  return {
    everySeconds: configuration.outsideCheck.everyMs / 1000,
    at: last === null ? null : iso(toDomainTime(deps, last.at)),
    ok: last?.ok ?? null,
    message: last?.message ?? 'It was not told anything yet.',
  }
}

/** A wall time as the domain clock would have shown it, for pages that tell all times by that clock. Epoch ms. */
export function toDomainTime(deps: Pick<AppDeps, 'workspace' | 'wallNow' | 'demo'>, wallAt: number): number {
  return Math.round(deps.workspace.clock.now() + (wallAt - deps.wallNow()) * (deps.demo()?.speed ?? 1))
}
