import { createHmac } from 'node:crypto'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../db/client.ts'
import { readCheckpoints, readHead, readLastVerification } from '../../../db/records/audit-chain.ts'
import { defaultCheckpointFile, readCheckpointFile } from '../../../jobs/audit/checkpoint-file.ts'
import { type AuditedWorkspace, waitsForCheckpoints, writeCheckpoints } from '../../../jobs/audit/write-checkpoints.ts'
import { type ConfiguredAudit, defaultAudit, readAudit } from '../../../jobs/configured-audit.ts'
import type { Problem } from '../../../jobs/domain/yaml-source.ts'
import { Secrets } from '../../../jobs/secrets.ts'
import { act } from '../../support/audit.ts'
import { withDatabase } from '../../support/database.ts'
import { type HookServer, startHookServer } from '../../support/report-world.ts'

const main = await withDatabase()
const hour = 3_600_000
let folder: string
let hook: HookServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'throughline-audit-'))
  hook = await startHookServer()
})
afterAll(async () => {
  await hook.close()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => {
  hook.posts.length = 0
  hook.status = 204
})

let worlds = 0
async function withWorld(
  audit: Partial<ConfiguredAudit>,
  work: (world: {
    readonly workspace: AuditedWorkspace
    readonly file: string
    readonly act: (n: number) => Promise<void>
    readonly write: (
      wall: number,
      options?: { readonly isFirst?: boolean; readonly to?: string | null },
    ) => ReturnType<typeof writeCheckpoints>
    readonly said: string[]
    readonly owner: (statement: string) => Promise<void>
  }) => Promise<void>,
) {
  const url = await main.another()
  const database = openDatabase(url, { workspaceId: main.workspaceId, max: 4 })
  const owner = openDatabase(url, { max: 1 })
  const file = join(folder, `world-${++worlds}`, 'checkpoints.jsonl')
  const said: string[] = []
  const workspace: AuditedWorkspace = {
    id: main.workspaceId,
    key: 'test',
    database,
    configuration: { egressAllow: [new URL(hook.url).host], audit: { ...defaultAudit, ...audit } },
  }
  try {
    await work({
      workspace,
      file,
      said,
      act: (n) => act(database.sql, main.workspaceId, n),
      write: (wall, { isFirst = false, to = file } = {}) =>
        writeCheckpoints(workspace, { file: to, wallNow: () => wall, isFirst, timeoutMs: 60_000, error: (line) => said.push(line) }),
      owner: (statement) => owner.sql.begin((tx) => tx.unsafe(`set local session_replication_role = replica; ${statement}`)).then(() => {}),
    })
  } finally {
    await Promise.all([database.close(), owner.close()])
  }
}

const webhooks = () => [{ name: 'vault', url: hook.url, secrets: new Secrets(new Map([['secret', 'a-shared-secret']])) }]
const none = { written: 0, failed: 0, broken: 0 }

describe('S12: checkpoints of the audit chain, outside', () => {
  it('are written first at once, then each hour something happened, or every N entries', async () => {
    await withWorld({ everyEntries: 3 }, async ({ workspace, file, act, write }) => {
      expect(await waitsForCheckpoints(workspace, file, 0)).toBe(false)
      await act(1)
      expect(await waitsForCheckpoints(workspace, file, 0)).toBe(true)
      expect(await write(0)).toEqual({ ...none, written: 1 })
      expect(await write(1)).toEqual(none)
      await act(2)
      expect(await write(hour - 1)).toEqual(none)
      expect(await write(hour)).toEqual({ ...none, written: 1 })
      expect(await write(5 * hour)).toEqual(none)
      for (const n of [3, 4, 5]) await act(n)
      expect(await write(5 * hour)).toEqual({ ...none, written: 1 })
      const head = await readHead(workspace.database.sql, workspace.id)
      const kept = await readCheckpointFile(file, 'test')
      expect(kept?.map(({ seq }) => seq)).toEqual([1, 2, 5])
      expect(kept?.at(-1)).toMatchObject({
        type: 'audit.checkpoint',
        workspace: 'test',
        hash: head?.hash,
        writtenAt: '1970-01-01T05:00:00.000Z',
      })
      expect(await readCheckpointFile(file, 'another')).toEqual([])
    })
  })

  it('go to a webhook, signed, once however many processes write', async () => {
    await withWorld({ webhooks: webhooks() }, async ({ workspace, act, write }) => {
      await act(1)
      const counts = await Promise.all([1, 2, 3, 4].map(() => write(1000, { to: null })))
      expect(counts.reduce((sum, { written }) => sum + written, 0)).toBe(1)
      expect(hook.posts).toHaveLength(1)
      const { headers, body } = hook.posts[0]!
      const signature = createHmac('sha256', 'a-shared-secret').update(`${headers['throughline-timestamp']}.${body}`).digest('hex')
      expect(headers['throughline-signature']).toBe(`v1=${signature}`)
      const head = await readHead(workspace.database.sql, workspace.id)
      expect(JSON.parse(body)).toMatchObject({ type: 'audit.checkpoint', workspace: 'test', seq: 1, hash: head?.hash })
      const path = join(folder, 'posted.json')
      await writeFile(path, body)
      expect(await readCheckpointFile(path, 'test')).toMatchObject([{ seq: 1, hash: head?.hash }])
    })
  })

  it('are tried again until they are taken, and say why they are not', async () => {
    await withWorld({ webhooks: webhooks() }, async ({ workspace, act, write }) => {
      await act(1)
      hook.status = 500
      expect(await write(0, { to: null })).toEqual({ ...none, failed: 1 })
      expect(await readCheckpoints(workspace.database.sql, workspace.id)).toMatchObject([
        { target: 'webhook:vault', seq: 0, writtenAt: null, attempts: 1, nextAt: 60_000, reason: 'Webhook vault: it answered 500.' },
      ])
      expect(await write(59_999, { to: null })).toEqual(none)
      hook.status = 204
      expect(await write(60_000, { to: null })).toEqual({ ...none, written: 1 })
      expect(await readCheckpoints(workspace.database.sql, workspace.id)).toMatchObject([
        { seq: 1, attempts: 0, nextAt: null, reason: null },
      ])
    })
  })

  it('say why a file cannot be written', async () => {
    await withWorld({}, async ({ workspace, act, write }) => {
      await act(1)
      expect(await write(0, { to: join(folder, 'nothing\0here') })).toMatchObject({ failed: 1 })
      expect((await readCheckpoints(workspace.database.sql, workspace.id))[0]?.reason).toMatch(/^It could not be written \(/)
    })
  })

  it('are not made of a chain that does not hold: it is said, kept as found, and said again', async () => {
    await withWorld({ everyEntries: 1 }, async ({ workspace, file, act, write, said, owner }) => {
      await act(1)
      await write(0)
      await act(2)
      await owner(`update audit set actor = 'nobody' where target_id = 'finding-20'`)
      expect(await write(1)).toEqual({ ...none, broken: 1 })
      expect(said).toEqual([expect.stringMatching(/^The audit chain does not hold\. Its row of entry 2 was edited/)])
      expect(await readLastVerification(workspace.database.sql, workspace.id)).toMatchObject({ problem: { kind: 'edited', seq: 2 } })
      expect(await write(hour * 9)).toEqual({ ...none, broken: 1 })
      expect(await readCheckpointFile(file, 'test')).toHaveLength(1)
    })
  })

  it('find, at the start, that an old copy was restored', async () => {
    await withWorld({ everyEntries: 1 }, async ({ workspace, act, write, said, owner }) => {
      for (const n of [1, 2, 3]) await act(n)
      await write(0)
      expect(await write(1, { isFirst: true })).toEqual(none)
      await owner(`delete from audit where ticket > (select ticket from audit_chain where seq = 1);
        delete from audit_chain where seq > 1; delete from audit_checkpoints`)
      expect(await write(2, { isFirst: true })).toEqual({ ...none, broken: 1 })
      expect(said).toEqual([expect.stringMatching(/entry 3, which is gone: the tail was cut off, or an older copy was restored/)])
      expect(await readLastVerification(workspace.database.sql, workspace.id)).toMatchObject({ problem: { kind: 'truncated', seq: 2 } })
      for (const n of [4, 5, 6]) await act(n)
      expect(await write(hour * 9)).toEqual({ ...none, broken: 1 })
      expect(await readLastVerification(workspace.database.sql, workspace.id)).toMatchObject({ problem: { kind: 'fork', seq: 3 } })
    })
  })

  it('are read back with a last line that was cut off, and refused where another one was edited', async () => {
    await withWorld({}, async ({ file, act, write }) => {
      await act(1)
      await write(0)
      const text = await readFile(file, 'utf8')
      await appendFile(file, text.slice(0, 40))
      expect(await readCheckpointFile(file, 'test')).toHaveLength(1)
      await writeFile(file, `nonsense\n${text}`)
      await expect(readCheckpointFile(file, 'test')).rejects.toThrow(/Line 1 of the checkpoints .* is none/)
      expect(await readCheckpointFile(join(folder, 'none'), 'test')).toBeUndefined()
    })
  })
})

describe('audit.yaml', () => {
  async function read(text: string, environment: Record<string, string> = {}) {
    const root = await mkdtemp(join(folder, 'configuration-'))
    await writeFile(join(root, 'audit.yaml'), text)
    const problems: Problem[] = []
    const notices: string[] = []
    const audit = await readAudit(root, { environment, egressAllow: [] }, problems, notices)
    return { root, audit, problems: problems.map(({ line, message }) => `${line} ${message}`), notices }
  }

  it('says where checkpoints go and how often', async () => {
    const text = `every: 15m\nevery_entries: 50\nfile: evidence/chain.jsonl\nwebhooks:\n  vault: { url: "https://vault.example/x", secret: { env: S } }\n`
    const { root, audit, problems } = await read(text, { S: 'shared' })
    expect(problems).toEqual([])
    expect(audit).toMatchObject({ everyMs: 900_000, everyEntries: 50, file: join(root, 'evidence/chain.jsonl') })
    expect(audit.webhooks.map(({ name, secrets }) => [name, secrets.get('secret')])).toEqual([['vault', 'shared']])
  })

  it('leaves a webhook out whose secret is missing, and refuses an unsafe address', async () => {
    const { audit, problems, notices } = await read('webhooks: { inside: { url: "http://127.0.0.1:1/", secret: { env: S } } }\n')
    expect(audit.webhooks).toEqual([])
    expect(notices).toEqual([expect.stringMatching(/webhook "inside" of audit\.yaml is left out.*variable S/)])
    expect(problems).toEqual([expect.stringMatching(/^1 this address/)])
  })

  it('is not needed: then checkpoints stand in the data folder, a file per database', () => {
    expect(defaultCheckpointFile('/data', 'postgres://u:p@127.0.0.1:5/configuration_ab?x=1')).toBe(
      '/data/audit/configuration_ab.checkpoints.jsonl',
    )
  })
})
