import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { sql as query } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Engine } from '../../jobs/engine.ts'
import { enqueue, enqueueUnlessWaiting, registerJob, startEngine } from '../../jobs/engine.ts'
import { withDatabase } from '../support/database.ts'

const { sql, db, url, owner } = await withDatabase()
const script = fileURLToPath(new URL('../support/engine-process.ts', import.meta.url))
const children: ChildProcess[] = []

async function startProcess(executorId: string, mode: 'finish' | 'hang' | 'tick') {
  const child = spawn(process.execPath, [script, url, executorId, mode], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  const says = (word: string) => vi.waitFor(() => expect(output).toContain(word), { timeout: 20_000, interval: 50 })
  await says('ready')
  return { child, says }
}

const statusOf = async (id: string) => (await owner.sql`select status from dbos.workflow_status where workflow_uuid = ${id}`)[0]?.status
const reaches = (id: string, status: string) =>
  vi.waitFor(async () => expect(await statusOf(id)).toBe(status), { timeout: 25_000, interval: 100 })

beforeAll(async () => {
  await owner.sql`create table effects (n serial, run text not null, what text not null, executor text not null)`
})
afterAll(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
})

describe('several processes', () => {
  it('finish each other’s runs after kill -9, without repeating a recorded step', async () => {
    const first = await startProcess('first', 'hang')
    const runs = ['take-over:1', 'take-over:2', 'take-over:3']
    for (const id of runs) await enqueue(owner.sql, { job: 'two-steps', queue: 'runbooks', id, input: { n: 1 } })
    await vi.waitFor(async () => expect(await owner.sql`select from effects where what = 'one'`).toHaveLength(3), { timeout: 20_000 })
    const second = await startProcess('second', 'finish')
    first.child.kill('SIGKILL')
    for (const id of runs) await reaches(id, 'SUCCESS')
    const effects =
      await owner.sql`select what, executor, count(*)::int as times from effects where run like 'take-over:%' group by 1, 2 order by 1`
    expect(effects).toEqual([
      { what: 'one', executor: 'first', times: 3 },
      { what: 'two', executor: 'second', times: 3 },
    ])
    second.child.kill('SIGTERM')
    await once(second.child, 'exit')
  })

  it('P19: start one run per tick among them', async () => {
    const both = await Promise.all([startProcess('left', 'tick'), startProcess('right', 'tick')])
    await vi.waitFor(async () => expect((await owner.sql`select from effects where what = 'tick'`).length).toBeGreaterThan(4), {
      timeout: 20_000,
    })
    for (const { child } of both) child.kill('SIGTERM')
    await Promise.all(both.map(({ child }) => once(child, 'exit')))
    const repeated = await owner.sql`select run from effects where what = 'tick' group by run having count(*) > 1`
    expect(repeated).toEqual([])
  })
})

describe('enqueue', () => {
  let engine: Engine
  beforeAll(async () => {
    registerJob<{ fail: string }>('echo', async (input, run) =>
      run.step('echo', async () => {
        if (input.fail === 'parse') JSON.parse('Jane Doe')
        return input.fail
      }),
    )
    engine = await startEngine({ ownerUrl: url })
  })
  afterAll(() => engine.stop())

  const echo = (id: string, fail = '') => ({ job: 'echo', queue: 'runbooks' as const, id, input: { fail } })

  it('commits with the caller’s transaction under the application role, by postgres.js and by drizzle', async () => {
    await sql.begin(async (tx) => {
      await tx`insert into owners (workspace_id, key, title) values (current_setting('throughline.workspace')::int, 'a', 'A')`
      await enqueue(tx, echo('kept:1'))
    })
    await db.transaction(async (tx) => {
      await tx.execute(query`select 1`)
      await enqueue(tx, echo('kept:2'))
    })
    await reaches('kept:1', 'SUCCESS')
    await reaches('kept:2', 'SUCCESS')
  })

  it('leaves nothing when the caller’s transaction rolls back', async () => {
    const failing = sql.begin(async (tx) => {
      await enqueue(tx, echo('rolled-back'))
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await statusOf('rolled-back')).toBeUndefined()
  })

  it('makes one run of one id', async () => {
    await Promise.all([1, 2, 3].map(() => enqueue(sql, echo('once'))))
    await reaches('once', 'SUCCESS')
    await enqueue(sql, echo('once'))
    expect(await owner.sql`select from dbos.workflow_status where workflow_uuid = 'once'`).toHaveLength(1)
  })

  it('lets at most one run wait in a partition', async () => {
    await owner.sql`select dbos.enqueue_workflow(workflow_name => 'echo', queue_name => 'polls', workflow_id => 'waiting', queue_partition_key => 'p', app_version => 'another')`
    await enqueueUnlessWaiting(owner.sql, { job: 'echo', queue: 'polls', id: 'second', input: { fail: '' }, partition: 'p' })
    expect(await statusOf('second')).toBeUndefined()
    await enqueueUnlessWaiting(owner.sql, { job: 'echo', queue: 'polls', id: 'elsewhere', input: { fail: '' }, partition: 'q' })
    expect(await statusOf('elsewhere')).toBeDefined()
  })

  it('shows the application no run of anyone', async () => {
    await expect(sql`select * from dbos.workflow_status`).rejects.toThrow(/permission denied/)
  })

  it('stores nothing of a stranger’s error message', async () => {
    await enqueue(sql, echo('fails', 'parse'))
    await reaches('fails', 'ERROR')
    const stored = JSON.stringify(
      await owner.sql`select s.*, o.* from dbos.workflow_status s left join dbos.operation_outputs o using (workflow_uuid) where workflow_uuid = 'fails'`,
    )
    expect(stored).toContain('SyntaxError')
    expect(stored).not.toContain('Jane')
  })

  it('forgets runs that ended before the cut-off', async () => {
    expect(await engine.forgetRuns(new Date(0))).toBe(0)
    expect(await engine.forgetRuns(new Date(Date.now() + 60_000))).toBeGreaterThan(3)
    expect(await statusOf('once')).toBeUndefined()
  })
})
