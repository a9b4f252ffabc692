import postgres from 'postgres'
import { afterAll, expect, it, vi } from 'vitest'
import { enqueue, registerJob, startEngine } from '../../jobs/engine.ts'
import { withCluster } from '../support/cluster.ts'

const cluster = await withCluster()

it('goes on after PostgreSQL crashed and came back, with the runs that waited', async () => {
  const open = () => postgres(cluster.url(), { max: 1, onnotice: () => {} })
  const statusOf = async (id: string) => {
    const owner = open()
    try {
      return (await owner`select status from dbos.workflow_status where workflow_uuid = ${id}`)[0]?.status
    } finally {
      await owner.end()
    }
  }
  registerJob('count', async (_: unknown, run) => run.step('count', async () => 1))
  const engine = await startEngine({ ownerUrl: cluster.url() })
  afterAll(() => engine.stop())
  for (const id of ['one', 'two', 'three']) {
    const owner = open()
    await enqueue(owner, { job: 'count', queue: 'polls', id, input: null, partition: id })
    await owner.end()
    await cluster.crash()
    await cluster.restart()
    await vi.waitFor(async () => expect(await statusOf(id)).toBe('SUCCESS'), { timeout: 60_000, interval: 200 })
  }
  const holders = open()
  const held = () => holders`select from pg_locks where locktype = 'advisory' and classid = 42 and granted`
  await vi.waitFor(async () => expect(await held()).toHaveLength(1), { timeout: 10_000, interval: 100 })
  await holders.end()
}, 120_000)
