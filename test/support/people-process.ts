// A poller (until every stream has been read) or a judge (until told to stop) over shared people, to be killed at failpoints.
// Reads: role, owner URL, URLs of the tools as JSON, seed.
import { judge, poll } from '../../jobs/reconcilers/reconcile.ts'
import { randomFrom } from '../../jobs/simulator/random.ts'
import { movedClock, openPagedWorkspace } from './paged-workspace.ts'
import { peopleNow } from './people-world.ts'

const [role, ownerUrl = '', urls = '{}', seed = '0', pageSize = '100'] = process.argv.slice(2)
const tools = JSON.parse(urls) as Record<string, string>
const random = randomFrom(Number(seed), 'people-process')
const workspace = await openPagedWorkspace({ ownerUrl, clock: movedClock(peopleNow), tools })
let stopped = false
process.on('message', () => {
  stopped = true
})
process.on('disconnect', () => process.exit(4))

const unread = async () => {
  const rows = await workspace.database.sql<{ connection: string }[]>`select connection from streams where watermark is null`
  return rows.map(({ connection }) => connection)
}
if (role === 'judge') while (!stopped) await judge(workspace)
else {
  for (let left = await unread(); left.length > 0; left = await unread()) {
    await poll(workspace, random.pick(left), { pageSize: Number(pageSize) })
  }
}
await workspace.close()
process.exit(0)
