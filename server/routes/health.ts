import { Gauge, Registry } from '@prometheus-io/client'
import { Hono } from 'hono'
import { readLastBeat, readRounds } from '../../db/records/heartbeats.ts'
import { countFindingsByStatus } from '../../db/records/findings.ts'
import { countParked } from '../../db/records/parked.ts'
import { readStreams } from '../../db/records/streams.ts'
import { standstillText } from '../../jobs/domain/standstill.ts'
import { rhythmsOf } from '../../jobs/rhythms.ts'
import type { AppDeps, AppEnv } from '../deps.ts'
import { readStandstills } from '../read-standstills.ts'

/** For supervisors and scrapers, outside /api: alive, ready, measured. */
export function healthRoutes(deps: AppDeps) {
  const { workspace } = deps
  const { sql, db } = workspace.database
  return new Hono<AppEnv>()
    .get('/livez', (context) => context.text('ok\n'))
    .get('/readyz', async (context) => {
      const isReady = await sql`select 1`.then(
        () => true,
        () => false,
      )
      if (!isReady) return context.text('the database does not answer\n', 503, { 'retry-after': '5' })
      const standstills = await readStandstills(deps)
      if (standstills.length === 0) return context.text('ok\n')
      return context.text(`${standstills.map(standstillText).join('\n')}\n`, 503, { 'retry-after': '30' })
    })
    .get('/metrics', async (context) => {
      const registry = new Registry()
      const gauge = (name: string, help: string, labelNames: string[] = []) => new Gauge({ name, help, labelNames, registers: [registry] })
      const rhythms = rhythmsOf(workspace.configuration, deps.demo()?.speed ?? 1)
      const [byStatus, streams, lastBeat, depths, parked, rounds, standstills] = await Promise.all([
        countFindingsByStatus(db, workspace.id),
        readStreams(sql, workspace.id),
        readLastBeat(sql, workspace.id),
        deps.queueDepths(),
        countParked(sql, workspace.id),
        readRounds(sql, workspace.id),
        readStandstills(deps),
      ])
      const findings = gauge('throughline_findings', 'Findings by status', ['status'])
      for (const { status, count } of byStatus) findings.set({ status }, count)
      const age = gauge('throughline_stream_watermark_age_seconds', 'Domain time since everything up to the watermark was read', [
        'connection',
        'stream',
      ])
      const records = gauge('throughline_stream_records', 'Records stored', ['connection', 'stream'])
      const isRead = gauge('throughline_stream_ok', 'Whether the last read of the stream went well', ['connection', 'stream'])
      for (const { connection, name, watermark, records: stored, state } of streams) {
        const labels = { connection, stream: name }
        if (watermark !== null) age.set(labels, (workspace.clock.now() - watermark) / 1000)
        records.set(labels, stored)
        isRead.set(labels, state === 'ok' ? 1 : 0)
      }
      const runs = gauge('throughline_queue_runs', 'Durable runs that wait or work', ['queue', 'status'])
      for (const { queue, status, runs: count } of depths) runs.set({ queue, status }, count)
      gauge('throughline_parked_components', 'Components set apart because judging them failed; they are tried again').set(parked)
      if (lastBeat !== null)
        gauge('throughline_engine_beat_age_seconds', 'Wall time since the engine gave a sign of life').set(
          (deps.wallNow() - lastBeat) / 1000,
        )
      const roundAge = gauge('throughline_job_round_age_seconds', 'Wall time since the job ended a round', ['job'])
      for (const { job, wallAt } of rounds) roundAge.set({ job }, (deps.wallNow() - wallAt) / 1000)
      const standing = gauge('throughline_job_standing_still', 'Whether the job stands still: what it would show is not known', ['job'])
      for (const { job } of rhythms) standing.set({ job }, standstills.some(({ jobs }) => jobs.includes(job)) ? 1 : 0)
      gauge('process_resident_memory_bytes', 'Resident memory').set(process.memoryUsage.rss())
      return context.body(await registry.metrics(), 200, { 'content-type': registry.contentType })
    })
}
