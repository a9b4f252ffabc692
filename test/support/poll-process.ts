// A process of its own that reads a paged tool to the end and judges, to be killed at a failpoint. Reads: owner URL, tool URL, clock.
import { reconcile } from '../../jobs/reconcilers/reconcile.ts'
import { movedClock, openPagedWorkspace } from './paged-workspace.ts'

const [ownerUrl = '', toolUrl = '', now = '0'] = process.argv.slice(2)
const workspace = await openPagedWorkspace({ ownerUrl, clock: movedClock(Number(now)), tools: { booking: toolUrl } })
const { outcomes } = await reconcile(workspace, { pageSize: 50 })
await workspace.close()
process.exit(outcomes.every((outcome) => outcome.kind === 'complete') ? 0 : 3)
