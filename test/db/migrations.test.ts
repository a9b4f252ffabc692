import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../db/client.ts'
import { migrate, readMigrations } from '../../db/migrate.ts'
import { withDatabase } from '../support/database.ts'

const { sql, owner, workspaceId, another } = await withDatabase()

describe('migrations', () => {
  it('build a fresh database, and a second run changes nothing', async () => {
    const url = await another('empty')
    const names = (await readMigrations()).map((migration) => migration.name)
    expect(await migrate(url)).toEqual(names)
    expect(await migrate(url)).toEqual([])
  })

  it('apply each file once when two processes migrate at the same time', async () => {
    const url = await another('empty')
    const [a, b] = await Promise.all([migrate(url), migrate(url)])
    expect([...a, ...b]).toEqual((await readMigrations()).map((migration) => migration.name))
  })

  it('build several databases of one server at the same time, though they share a role', async () => {
    const urls = await Promise.all([1, 2, 3, 4].map(() => another('empty')))
    const applied = await Promise.all(urls.map((url) => migrate(url)))
    expect(new Set(applied.map((names) => names.join())).size).toBe(1)
  })

  it('refuse a database newer than the code', async () => {
    const url = await another('empty')
    const future = { name: '9999_from_the_future.sql', source: 'select 1', checksum: 'x' }
    await migrate(url, [...(await readMigrations()), future])
    await expect(migrate(url)).rejects.toThrow(/newer than this Throughline: it has 9999_from_the_future\.sql/)
  })

  it('refuse a file edited after it was applied, and leave the database as it was', async () => {
    const url = await another('empty')
    await migrate(url)
    const [first, ...rest] = await readMigrations()
    const edited = { ...first!, checksum: 'edited' }
    await expect(migrate(url, [edited, ...rest, { name: '9999_next.sql', source: 'create table next ()', checksum: 'y' }])).rejects.toThrow(
      /was edited/,
    )
    const database = openDatabase(url)
    expect(await database.sql`select to_regclass('next') as next`).toEqual([{ next: null }])
    await database.close()
  })

  it('leave nothing of a file that fails half-way', async () => {
    const url = await another('empty')
    const broken = { name: '9999_broken.sql', source: 'create table half (); select 1 / 0', checksum: 'z' }
    await expect(migrate(url, [...(await readMigrations()), broken])).rejects.toThrow(/division by zero/)
    const database = openDatabase(url)
    expect(await database.sql`select to_regclass('half') as half`).toEqual([{ half: null }])
    await database.close()
    expect(await migrate(url)).toEqual([])
  })
})

describe('the application role (semantics 25)', () => {
  const at = new Date('2026-01-01T00:00:00Z')
  const audit = { workspace_id: workspaceId, at, actor: 'local-owner', act: 'finding.claim', target_kind: 'finding', target_id: 'f' }

  it('owns no table and does not bypass row-level security', async () => {
    const [role] = await owner.sql`select rolsuper, rolbypassrls from pg_roles where rolname = 'throughline_app'`
    expect(role).toEqual({ rolsuper: false, rolbypassrls: false })
    expect(await owner.sql`select tablename from pg_tables where tableowner = 'throughline_app'`).toEqual([])
    expect(await sql`select current_user::text as "user"`).toEqual([{ user: 'throughline_app' }])
  })

  it('has a policy on every table that has a workspace', async () => {
    const open = await owner.sql`
      select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id'
      where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
        and (not c.relrowsecurity or not exists (select from pg_policy p where p.polrelid = c.oid))`
    expect(open).toEqual([])
  })

  it('sees and writes its own workspace only', async () => {
    const [other] = await owner.sql<{ id: number }[]>`insert into workspaces (key, title) values ('other', 'Other') returning id`
    const otherId = other?.id ?? 0
    await owner.sql`insert into owners (workspace_id, key, title) values (${otherId}, 'theirs', 'Theirs'), (${workspaceId}, 'ours', 'Ours')`
    expect(await sql`select key from owners`).toEqual([{ key: 'ours' }])
    expect((await sql`update owners set title = 'x' where key = 'theirs'`).count).toBe(0)
    await expect(sql`insert into owners (workspace_id, key, title) values (${otherId}, 'planted', 'x')`).rejects.toThrow(
      /row-level security/,
    )
  })

  it('cannot change or delete an audit row', async () => {
    await sql.begin(async (tx) => {
      await tx`insert into audit ${tx(audit)}`
      await tx`select seal_audit()`
    })
    await expect(sql`update audit set actor = 'someone else'`).rejects.toThrow(/permission denied/)
    await expect(sql`delete from audit`).rejects.toThrow(/permission denied/)
    await expect(sql`truncate audit`).rejects.toThrow(/permission denied/)
  })

  it('reads nothing without a workspace', async () => {
    const reserved = await owner.sql.reserve()
    await reserved`set role throughline_app`
    await expect(reserved`select * from owners`).rejects.toThrow(/throughline\.workspace/)
    await reserved`reset role`
    reserved.release()
  })
})
