import { sql as query } from 'drizzle-orm'
import { beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../db/client.ts'
import { sealActs, sealing, writeActs } from '../../../db/records/audit.ts'
import { readHead, readLastVerification } from '../../../db/records/audit-chain.ts'
import type { Sql, Tx } from '../../../db/records/bulk.ts'
import { verifyChain } from '../../../jobs/audit/verify-chain.ts'
import type { ChainProblem, Checkpoint } from '../../../jobs/domain/audit-chain.ts'
import { act, actOf } from '../../support/audit.ts'
import { withDatabase } from '../../support/database.ts'

const { sql, db, owner, url, workspaceId } = await withDatabase()

const verify = (by: Sql = sql, checkpoints: readonly Checkpoint[] = []) => verifyChain(by, workspaceId, { by: 'test', checkpoints })
const checkpoint = async (): Promise<Checkpoint> => {
  const head = await readHead(sql, workspaceId)
  return { seq: head?.seq ?? 0, hash: head?.hash ?? '' }
}
const count = async (table: string) => Number((await owner.sql`select count(*) as n from ${owner.sql(table)}`)[0]?.n)

describe('semantics 26: an act and the chain', () => {
  it('has one entry per transaction over all its rows, whichever client wrote them and whatever they hold', async () => {
    const odd = { 'käse 🧀': [1, 1.5, 1e21, -0, null, true, 'a"\\b'], nested: { a: { b: '' } } }
    await act(sql, workspaceId, 1, 3)
    await sealing(db, (tx) =>
      writeActs(tx, workspaceId, [
        actOf(2, { reason: null, before: null, after: odd }),
        actOf(3, { reason: '', before: odd, after: null }),
        actOf(4, { reason: 'ü\n\t"', at: Date.UTC(1969, 11, 31, 23, 59, 59, 999) }),
      ]),
    )
    await sealing(sql, (tx) => writeActs(tx, workspaceId, [actOf(5, { before: odd, after: odd, reason: null })]))
    expect(await count('audit_chain')).toBe(3)
    expect(await verify()).toMatchObject({ from: 1, to: 3, rows: 7, problem: null })
    expect(await readLastVerification(sql, workspaceId)).toMatchObject({ by: 'test', fromSeq: 1, toSeq: 3, rows: 7, problem: null })
  })

  it('is not kept without its entry: the database refuses to commit', async () => {
    const before = await count('audit')
    await expect(sql.begin((tx) => writeActs(tx, workspaceId, [actOf(9)]))).rejects.toThrow(/sealed_by_db_records_audit_ts/)
    await expect(db.transaction((tx) => writeActs(tx, workspaceId, [actOf(9)]))).rejects.toThrow()
    expect(await count('audit')).toBe(before)
  })

  it('leaves no entry where nothing was written, or where it was taken back', async () => {
    const before = await count('audit_chain')
    await sealing(sql, async () => {})
    await expect(
      sealing(sql, async (tx) => {
        await writeActs(tx, workspaceId, [actOf(9)])
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    await sealing(sql, async (tx) => {
      await expect(
        tx.savepoint(async (inner) => {
          await writeActs(inner, workspaceId, [actOf(9)])
          throw new Error('no')
        }),
      ).rejects.toThrow('no')
    })
    expect(await count('audit_chain')).toBe(before)
    expect(await verify()).toMatchObject({ problem: null })
  })

  it('S12: the application can neither change nor delete entries, nor write any itself', async () => {
    for (const change of [
      'update audit_chain set seq = seq + 1',
      'delete from audit_chain',
      'truncate audit_chain',
      "insert into audit_chain values (1, 99, 99, now(), '', '', '')",
      'update audit_verifications set problem = null',
      'delete from audit_verifications',
      'delete from audit_checkpoints',
    ])
      await expect(sql.unsafe(change), change).rejects.toThrow(/permission denied/)
  })

  it('S12: 50 writers at the same time keep one chain', async () => {
    const before = await count('audit_chain')
    const writers = openDatabase(url, { workspaceId, max: 12 })
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        i % 2 === 0
          ? act(writers.sql, workspaceId, 100 + i, 2)
          : sealing(writers.db, (tx) => writeActs(tx, workspaceId, [actOf(100 + i), actOf(1000 + i)])),
      ),
    )
    await writers.close()
    const [chain] =
      await sql`select count(*)::int as entries, max(seq)::int as last, count(distinct previous)::int as links from audit_chain`
    expect(chain).toEqual({ entries: before + 50, last: before + 50, links: before + 50 })
    expect(await verify()).toMatchObject({ to: before + 50, problem: null })
  })
})

describe('S13: when the audit cannot be written, the act has not happened', () => {
  const note = (title: string) =>
    sealing(sql, async (tx) => {
      await tx`insert into owners (workspace_id, key, title) values (${workspaceId}, ${title}, ${title})`
      await writeActs(tx, workspaceId, [actOf(7)])
    })
  const happened = async (title: string) => (await owner.sql`select from owners where key = ${title}`).length > 0

  it.each([
    ['the grant to insert is revoked', 'revoke insert on audit from throughline_app', 'grant insert on audit to throughline_app'],
    [
      'the grant to seal is revoked',
      'revoke execute on function seal_audit() from throughline_app',
      'grant execute on function seal_audit() to throughline_app',
    ],
    ['the disk is full for rows', fullDisk('audit'), 'drop trigger full_disk on audit'],
    ['the disk is full for the chain', fullDisk('audit_chain'), 'drop trigger full_disk on audit_chain'],
  ])('%s', async (what, fail, mend) => {
    await owner.sql.unsafe(fail)
    await expect(note(what)).rejects.toThrow(/permission denied|No space left/)
    expect(await happened(what)).toBe(false)
    await owner.sql.unsafe(mend)
    await note(what)
    expect(await happened(what)).toBe(true)
  })

  function fullDisk(table: string): string {
    return `create or replace function full_disk() returns trigger language plpgsql as
      $$ begin raise exception 'No space left on device' using errcode = 'disk_full'; end $$;
      create trigger full_disk before insert on ${table} for each row execute function full_disk()`
  }
})

describe('S12: what a superuser does to it', () => {
  let first = 0
  beforeAll(async () => {
    first = ((await readHead(sql, workspaceId))?.seq ?? 0) + 1
    for (let n = 0; n < 8; n++) await act(sql, workspaceId, 500 + n, n === 3 ? 3 : 1)
  })

  /** Does it, looks, and takes it back. */
  async function meddling(change: (tx: Tx) => Promise<unknown>, checkpoints: readonly Checkpoint[] = []): Promise<ChainProblem | null> {
    class Undo extends Error {}
    let problem: ChainProblem | null = null
    await owner.sql
      .begin(async (tx) => {
        await tx`set local session_replication_role = replica`
        await change(tx)
        problem = (await verify(tx as unknown as Sql, checkpoints)).problem
        throw new Undo()
      })
      .catch((error: unknown) => {
        if (!(error instanceof Undo)) throw error
      })
    return problem
  }
  const entry = (i: number) => first + i
  const rowsOf = async (i: number) =>
    owner.sql<{ id: string; ticket: string; n: string }[]>`
      select a.id::text as id, a.ticket, a.n from audit a join audit_chain c using (workspace_id, ticket)
      where c.seq = ${entry(i)} order by a.n`
  const idOf = async (i: number, row = 0) => (await rowsOf(i))[row]?.id ?? ''
  const reseal = async (tx: Tx, from: number) => {
    const tickets = await tx<{ ticket: string }[]>`delete from audit_chain where seq >= ${entry(from)} returning ticket`
    for (const ticket of tickets.map((one) => Number(one.ticket)).sort((a, b) => a - b)) {
      await tx`select set_config('throughline.audit_ticket', ${String(ticket)}, true)`
      await sealActs(tx)
    }
  }

  it.each([
    ['at', "at = at + interval '1 microsecond'"],
    ['recorded_at', "recorded_at = recorded_at - interval '1 microsecond'"],
    ['actor', "actor = 'nobody'"],
    ['act', "act = 'finding.waive'"],
    ['target_kind', "target_kind = 'view'"],
    ['target_id', "target_id = 'x'"],
    ['reason', 'reason = null'],
    ['before', "before = '{}'"],
    ['after', 'after = after || \'{"n": 1}\''],
    ['id', 'id = gen_random_uuid()'],
  ])('edits %s of a row: the entry and the row are named', async (column, set) => {
    const id = await idOf(3, 1)
    const problem = await meddling((tx) => tx.unsafe(`update audit set ${set} where id = '${id}'`))
    expect(problem).toMatchObject({ kind: 'edited', seq: entry(3), ...(column === 'id' ? {} : { row: id }) })
  })

  it('deletes a row, or all of an entry: the entry is named', async () => {
    const id = await idOf(3, 1)
    expect(await meddling((tx) => tx`delete from audit where id = ${id}`)).toMatchObject({ kind: 'deleted', seq: entry(3) })
    const [gone] = await rowsOf(2)
    expect(await meddling((tx) => tx`delete from audit where ticket = ${gone?.ticket ?? 0}`)).toMatchObject({
      kind: 'deleted',
      seq: entry(2),
    })
  })

  it('inserts a row, into an entry or past the chain: the row is named', async () => {
    const [host] = await rowsOf(4)
    const planted = '11111111-1111-4111-8111-111111111111'
    const plant = (tx: Tx, ticket: string) => tx`insert into audit (workspace_id, id, at, actor, act, target_kind, target_id, ticket)
      values (${workspaceId}, ${planted}, now(), 'local-owner', 'finding.claim', 'finding', 'f', ${ticket})`
    expect(await meddling((tx) => plant(tx, host?.ticket ?? '0'))).toMatchObject({ kind: 'inserted', seq: entry(4), row: planted })
    expect(await meddling((tx) => plant(tx, '900000'))).toMatchObject({ kind: 'inserted', seq: null, row: planted })
  })

  it('reorders rows, moves one to another entry, or exchanges entries', async () => {
    const [a, b] = await rowsOf(3)
    const exchangedRows = await meddling(async (tx) => {
      await tx`alter table audit alter column n drop identity`
      await tx`update audit set n = case when id = ${a?.id ?? ''} then ${b?.n ?? 0}::bigint else ${a?.n ?? 0}::bigint end
        where id in (${a?.id ?? ''}, ${b?.id ?? ''})`
    })
    expect(exchangedRows).toMatchObject({ kind: 'reordered', seq: entry(3) })
    const [host] = await rowsOf(1)
    expect(await meddling((tx) => tx`update audit set ticket = ${host?.ticket ?? 0} where id = ${a?.id ?? ''}`)).toMatchObject({
      kind: 'inserted',
      seq: entry(1),
    })
    const exchanged = await meddling(async (tx) => {
      await tx`update audit_chain set seq = 1000000 where seq = ${entry(4)}`
      await tx`update audit_chain set seq = ${entry(4)} where seq = ${entry(5)}`
      await tx`update audit_chain set seq = ${entry(5)} where seq = 1000000`
    })
    expect(exchanged).toMatchObject({ kind: 'reordered', seq: entry(4) })
  })

  it('edits or deletes an entry: it is named', async () => {
    expect(await meddling((tx) => tx`update audit_chain set sealed_at = sealed_at + interval '1 s' where seq = ${entry(2)}`)).toMatchObject(
      {
        kind: 'edited',
        seq: entry(2),
      },
    )
    expect(await meddling((tx) => tx`delete from audit_chain where seq = ${entry(2)}`)).toMatchObject({ kind: 'deleted', seq: entry(2) })
  })

  it('truncates the tail: found by a checkpoint, with the first entry that is missing', async () => {
    const cut = async (tx: Tx) => {
      await tx`delete from audit where ticket in (select ticket from audit_chain where seq > ${entry(4)})`
      await tx`delete from audit_chain where seq > ${entry(4)}`
    }
    expect(await meddling(cut)).toBeNull()
    expect(await meddling(cut, [await checkpoint()])).toMatchObject({ kind: 'truncated', seq: entry(5) })
  })

  it('rewrites history with every hash made anew: found by a checkpoint', async () => {
    const id = await idOf(2)
    const rewrite = async (tx: Tx) => {
      await tx`update audit set actor = 'nobody' where id = ${id}`
      await reseal(tx, 2)
    }
    expect(await meddling(rewrite)).toBeNull()
    const known = await checkpoint()
    expect(await meddling(rewrite, [known])).toMatchObject({ kind: 'fork', seq: known.seq })
  })

  it('restores an old dump: found by a checkpoint at once, and after acting on it too', async () => {
    const known = await checkpoint()
    const restore = async (tx: Tx) => {
      await tx`delete from audit where ticket in (select ticket from audit_chain where seq > ${entry(3)})`
      await tx`delete from audit_chain where seq > ${entry(3)}`
    }
    expect(await meddling(restore, [known])).toMatchObject({ kind: 'truncated', seq: entry(4) })
    const goOn = async (tx: Tx) => {
      await restore(tx)
      for (let n = 0; n < 6; n++) {
        await writeActs(tx, workspaceId, [actOf(900 + n)])
        await sealActs(tx)
      }
    }
    expect(await meddling(goOn)).toBeNull()
    expect(await meddling(goOn, [known])).toMatchObject({ kind: 'fork', seq: known.seq })
    const problem = await owner.sql
      .begin(async (tx) => {
        await tx`set local session_replication_role = replica`
        await restore(tx)
        const seen = await verifyChain(tx as unknown as Sql, workspaceId, { by: 'test', after: known })
        throw Object.assign(new Error('undo'), { seen })
      })
      .catch((error: { seen?: unknown }) => error.seen)
    expect(problem).toMatchObject({ problem: { kind: 'truncated', seq: entry(4) } })
  })

  it('and once all is taken back, it holds', async () => {
    expect(await verify(sql, [await checkpoint()])).toMatchObject({ problem: null })
    expect((await db.execute(query`select count(*)::int as n from audit_chain`))[0]).toBeDefined()
  })
})
