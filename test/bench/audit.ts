/**
 * What the chain costs per act: the same acts with it and without it, in turns, on one durable PostgreSQL. Without it is the table as it was
 * before 0015: no constraint, no indexes of the chain, nothing sealed. `node test/bench/audit.ts [acts per turn]`
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../db/client.ts'
import { startEmbedded } from '../../db/embedded.ts'
import { migrate } from '../../db/migrate.ts'
import { sealActs, writeActs } from '../../db/records/audit.ts'
import { verifyChain } from '../../jobs/audit/verify-chain.ts'
import { actOf } from '../support/audit.ts'

const acts = Number(process.argv[2] ?? 400)
const turns = 5
const rowsAtOnce = 1_000

const dataDir = await mkdtemp(join(tmpdir(), 'throughline-bench-audit-'))
await chmod(dataDir, 0o711)
const cluster = await startEmbedded({ dataDir })
try {
  const admin = openDatabase(cluster.url('postgres'), { max: 1 })
  const open = async (name: string, isChained: boolean) => {
    await admin.sql.unsafe(`create database ${name}`)
    await migrate(cluster.url(name))
    const owner = openDatabase(cluster.url(name), { max: 1 })
    const [row] = await owner.sql<{ id: number }[]>`insert into workspaces (key, title) values ('bench', 'Bench') returning id`
    const id = row?.id ?? 0
    await owner.sql`insert into owners (workspace_id, key, title) select ${id}, 'o' || n, 'x' from generate_series(1, 64) n`
    if (!isChained)
      await owner.sql.unsafe(`alter table audit drop constraint sealed_by_db_records_audit_ts;
        drop index audit_by_ticket, audit_by_time, audit_by_act, audit_by_person`)
    await owner.close()
    const { sql, close } = openDatabase(cluster.url(name), { workspaceId: id, max: 8 })
    const act = (n: number, rows: number) =>
      sql.begin(async (tx) => {
        await tx`update owners set title = ${`t${n}`} where workspace_id = ${id} and key = ${`o${(n % 64) + 1}`}`
        await writeActs(
          tx,
          id,
          Array.from({ length: rows }, (_, i) => actOf(n + i)),
        )
        if (isChained) await sealActs(tx)
      })
    return { id, sql, close, act }
  }
  const [plain, chained] = [await open('plain', false), await open('chained', true)]
  type Side = typeof plain

  /** Rows per second. */
  const rate = async (side: Side, writers: number, rows: number, total: number) => {
    const started = performance.now()
    let next = 0
    const write = async () => {
      while (next < total) await side.act(next++, rows)
    }
    await Promise.all(Array.from({ length: writers }, write))
    return (total * rows * 1000) / (performance.now() - started)
  }
  const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
  const compare = async (title: string, unit: string, writers: number, rows: number, total: number) => {
    const rates = { plain: [] as number[], chained: [] as number[] }
    for (let turn = 0; turn <= turns; turn++) {
      const seen = { plain: await rate(plain, writers, rows, total), chained: await rate(chained, writers, rows, total) }
      // The first turn warms up.
      if (turn === 0) continue
      rates.plain.push(seen.plain)
      rates.chained.push(seen.chained)
    }
    const [without, with_] = [median(rates.plain), median(rates.chained)]
    const cost = (1_000_000 * (without - with_)) / (without * with_)
    console.log(
      `${title.padEnd(34)} ${without.toFixed(0).padStart(7)} ${unit}/s without, ${with_.toFixed(0).padStart(7)} with the chain: ${(with_ / without).toFixed(2)} of it, ${cost.toFixed(0)} µs each`,
    )
  }
  await compare('one writer, one act at a time', 'acts', 1, 1, acts)
  await compare('8 writers, one act at a time', 'acts', 8, 1, acts)
  await compare(`one writer, ${rowsAtOnce} acts at a time`, 'acts', 1, rowsAtOnce, 4)

  const started = performance.now()
  const seen = await verifyChain(chained.sql, chained.id, { by: 'bench' })
  const seconds = (performance.now() - started) / 1000
  if (seen.problem !== null) throw new Error(`The chain does not hold: ${seen.problem.what}`)
  console.log(`verified ${seen.to} entries over ${seen.rows} acts: ${(seen.rows / seconds).toFixed(0)} acts/s`)
  await Promise.all([plain.close(), chained.close(), admin.close()])
} finally {
  await cluster.destroy()
  await rm(dataDir, { recursive: true, force: true })
}
