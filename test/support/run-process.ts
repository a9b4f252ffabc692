// Takes one run as far as it goes and ends: a process that tests kill. Arguments: owner URL, booking URL, texts URL, URL to act at, run, domain time, wall time, repeat as JSON.
import { advanceRun } from '../../jobs/runs/advance-run.ts'
import { actingConnector } from './acting-tool.ts'
import { movedClock, openPagedWorkspace } from './paged-workspace.ts'

const [ownerUrl = '', booking = '', texts = '', actUrl = '', runId = '', now = '', wall = '', repeat = '{}'] = process.argv.slice(2)
const workspace = await openPagedWorkspace({
  ownerUrl,
  clock: movedClock(Number(now)),
  tools: { booking, texts },
  connector: actingConnector(() => actUrl, JSON.parse(repeat)),
})
await advanceRun({ workspace, wallNow: () => Number(wall), pollSoon: async () => {} }, runId, new AbortController().signal)
await workspace.close()
