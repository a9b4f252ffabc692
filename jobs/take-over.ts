import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

const lockClass = 42
const graceMs = 3000

export interface TakeOverOptions {
  /** A direct connection: a transaction pooler would lose the session lock. */
  readonly ownerUrl: string
  readonly executorId: string
  /** Names the engine whose runs are watched. */
  readonly application: string
  /** Puts a dead executor's runs back into their queues; safe to call from several processes at once. */
  readonly recover: (executorId: string) => Promise<void>
  readonly warn: (message: string) => void
}

/**
 * A process is alive while it holds the advisory lock on its executor id. Whoever can take another's lock for three seconds
 * on end recovers that one's runs.
 */
export async function watchExecutors({
  ownerUrl,
  executorId,
  application,
  recover,
  warn,
}: TakeOverOptions): Promise<{ stop(): Promise<void> }> {
  const stopping = new AbortController()
  let session: pg.Client | undefined
  const freeSince = new Map<string, number>()

  const hold = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const client = new pg.Client({ connectionString: ownerUrl, keepAlive: true, application_name: 'throughline-executor' })
      client.on('error', () => {})
      try {
        await client.connect()
        await client.query('set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3')
        await client.query('select pg_advisory_lock($1, hashtext($2))', [lockClass, executorId])
        client.once('end', () => {
          session = undefined
          void hold()
        })
        session = client
        return
      } catch {
        await client.end().catch(() => {})
        await pause(500)
      }
    }
  }

  const pause = (ms: number) => delay(ms, undefined, { signal: stopping.signal }).catch(() => {})

  const sweep = async (): Promise<void> => {
    const others = await session?.query<{ id: string; free: boolean }>(
      `select executor_id as id, pg_try_advisory_xact_lock($1, hashtext(executor_id)) as free
       from (select distinct executor_id from dbos.workflow_status
             where status = 'PENDING' and application_name = $2 and executor_id <> $3) as others`,
      [lockClass, application, executorId],
    )
    for (const { id, free } of others?.rows ?? []) {
      if (!free) {
        freeSince.delete(id)
        continue
      }
      const since = freeSince.get(id) ?? performance.now()
      freeSince.set(id, since)
      if (performance.now() - since < graceMs) continue
      await recover(id)
      freeSince.delete(id)
      warn(`Took over the runs of executor ${id}, which is gone.`)
    }
  }

  const watch = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await sweep().catch((error: { code?: string }) =>
        warn(`Could not look for dead executors (${error.code ?? 'no connection'}); trying again.`),
      )
      await pause(1000)
    }
  }

  await hold()
  const watching = watch()
  return {
    stop: async () => {
      stopping.abort()
      await watching
      await session?.end()
    },
  }
}
