import type { Sql } from './bulk.ts'

/** Wall time of the latest sign of life of any job, epoch ms; null: none yet. */
export async function readLastBeat(sql: Sql, workspaceId: number): Promise<number | null> {
  const [row] = await sql<{ at: number | null }[]>`
    select round(date_part('epoch', max(wall_at)) * 1000) as at from heartbeats where workspace_id = ${workspaceId}`
  return row?.at ?? null
}

/** When a job last ran to its end, domain time, epoch ms; null: it never has. */
export async function readJobBeat(sql: Sql, workspaceId: number, job: string): Promise<number | null> {
  const [row] = await sql<{ at: number }[]>`
    select round(date_part('epoch', beat_at) * 1000) as at from heartbeats where workspace_id = ${workspaceId} and job = ${job}`
  return row?.at ?? null
}
