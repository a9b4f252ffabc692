import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDatabase } from '../../db/client.ts'
import { readHead } from '../../db/records/audit-chain.ts'
import { defaultCheckpointFile } from '../../jobs/audit/checkpoint-file.ts'
import { writeCheckpoints } from '../../jobs/audit/write-checkpoints.ts'
import { act } from '../support/audit.ts'
import { withDatabase } from '../support/database.ts'

const main = await withDatabase()
const root = join(import.meta.dirname, '../..')
const patience = 180_000
let dataDir: string
let databaseUrl: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'throughline-audit-cli-'))
  databaseUrl = await main.another('empty')
})
afterAll(() => rm(dataDir, { recursive: true }))

async function run(...args: readonly string[]) {
  const bare = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('THROUGHLINE_')))
  const child = spawn(process.execPath, [join(root, 'server/cli/main.ts'), ...args], {
    env: { ...bare, DATABASE_URL: databaseUrl, THROUGHLINE_DATA_DIR: dataDir, THROUGHLINE_LOG_LEVEL: 'error' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text
  })
  const [code] = await once(child, 'close')
  return { code, ...said }
}

const config = ['--config', join(root, 'docs/examples/clinic-csv')]

it(
  'S12: audit verify names the first bad row and exits with 2; a cut tail is found by a checkpoint',
  async () => {
    expect([0, 2]).toContain((await run('reconcile', ...config, '--now', '2026-03-09T00:00:00Z')).code)
    const owner = openDatabase(databaseUrl, { max: 2 })
    const [found] = await owner.sql<{ id: number; key: string }[]>`select id, key from workspaces`
    const { id, key } = found!
    const database = openDatabase(databaseUrl, { workspaceId: id, max: 2 })
    try {
      await act(database.sql, id, 1)
      await act(database.sql, id, 2)
      const head = await readHead(database.sql, id)

      const bare = await run('audit', 'verify', ...config)
      expect(bare).toMatchObject({ code: 0 })
      expect(bare.out).toContain(`The audit chain holds: ${head?.seq} entries over`)
      expect(bare.out).toContain('Compared with no checkpoint')
      expect(bare.out).toContain(head?.hash)

      const file = defaultCheckpointFile(dataDir, databaseUrl)
      await writeCheckpoints({ id, key, database, configuration: { egressAllow: [] } }, { file })
      const compared = await run('audit', 'verify', ...config)
      expect(compared).toMatchObject({ code: 0 })
      expect(compared.out).toContain(`Compared with the checkpoint in ${file}, the last of entry ${head?.seq}`)

      const aside = join(dataDir, 'aside.jsonl')
      await writeFile(aside, await readFile(file))
      await owner.sql.begin(async (tx) => {
        await tx`set local session_replication_role = replica`
        await tx`delete from audit where target_id = 'finding-20'`
        await tx`delete from audit_chain where seq = ${head?.seq ?? 0}`
      })
      const cut = await run('audit', 'verify', ...config, '--checkpoint', aside)
      expect(cut).toMatchObject({ code: 2 })
      expect(cut.out).toContain(`The audit chain does not hold: truncated, first at entry ${head?.seq}.`)
      expect(await run('audit', 'verify', ...config)).toMatchObject({ code: 2 })

      const [row] = await owner.sql<{ id: string }[]>`update audit set reason = 'edited' where target_id = 'finding-10' returning id`
      const edited = await run('audit', 'verify', ...config)
      expect(edited).toMatchObject({ code: 2 })
      expect(edited.out).toContain(`edited, first at entry ${(head?.seq ?? 0) - 1}, audit row ${row?.id}.`)

      const missing = await run('audit', 'verify', ...config, '--checkpoint', join(dataDir, 'none.jsonl'))
      expect(missing).toMatchObject({ code: 1, out: '' })
      expect(missing.err).toContain('There is no checkpoint of workspace')
    } finally {
      await Promise.all([database.close(), owner.close()])
    }
  },
  patience,
)
