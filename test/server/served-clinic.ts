import { testClient } from 'hono/testing'
import type { Workspace } from '../../jobs/open-workspace.ts'
import { reconcile } from '../../jobs/reconcilers/reconcile.ts'
import { createApp } from '../../server/app.ts'
import type { AppDeps } from '../../server/deps.ts'
import { type PagedTool, startPagedTool } from '../support/paged-tool.ts'
import { movedClock, type MovedClock, openPagedWorkspace, type PagedWorkspaceOptions } from '../support/paged-workspace.ts'

export const minute = 60_000
export const morning = Date.parse('2026-03-02T09:00:00Z')
const wall = Date.parse('2026-11-21T12:00:00Z')

export const headers = { host: '127.0.0.1:4400' }

export interface ServedClinic {
  readonly app: ReturnType<typeof createApp>
  readonly client: ReturnType<typeof testClient<ReturnType<typeof createApp>>>
  readonly deps: AppDeps
  readonly workspace: Workspace
  readonly clock: MovedClock
  readonly booking: PagedTool
  readonly texts: PagedTool
  wall: number
  /** Reads both tools and judges at the clock. */
  reconcile(): Promise<void>
  close(): Promise<void>
}

/**
 * Two tools behind the real pipeline and the API: Ann and Bob booked at 9:00, Ann's confirmation never came, Bob's came twice.
 * It is 9:30 and both tools were just read.
 */
export async function serveClinic(
  ownerUrl: string,
  overrides: Partial<AppDeps> = {},
  configure: PagedWorkspaceOptions['configure'] = (configuration) => configuration,
): Promise<ServedClinic> {
  const clock = movedClock(morning + 30 * minute)
  const booking = await startPagedTool(clock.at)
  const texts = await startPagedTool(clock.at)
  const row = (id: string, email: string, status: string, at: number) => ({ id, email, status, at, updatedAt: at })
  booking.rows = [row('b-ann', 'ann@example.org', 'accepted', morning), row('b-bob', 'bob@example.org', 'accepted', morning)]
  texts.rows = [
    row('m-1', 'bob@example.org', 'delivered', morning + 5 * minute),
    row('m-2', 'bob@example.org', 'delivered', morning + 6 * minute),
  ]
  const workspace = await openPagedWorkspace({ ownerUrl, clock, tools: { booking: booking.url, texts: texts.url }, configure })
  const deps: AppDeps = {
    workspace,
    me: { id: 'local-owner', title: 'Local owner' },
    wallNow: () => clinic.wall,
    demo: () => null,
    check: async () => ({ ok: true, streams: [{ name: 'rows', ok: true, message: 'answers' }], clockSkewMs: 0 }),
    poll: async () => {},
    queueDepths: async () => [],
    log: { info: () => {}, warn: () => {}, error: () => {} },
    consoleRoot: null,
    ...overrides,
  }
  const app = createApp(deps)
  const clinic: ServedClinic = {
    app,
    client: testClient(app, undefined, undefined, { headers }),
    deps,
    workspace,
    clock,
    booking,
    texts,
    wall,
    reconcile: async () => {
      booking.now = clock.at
      texts.now = clock.at
      await reconcile(workspace)
    },
    close: async () => {
      await workspace.close()
      await booking.close()
      await texts.close()
    },
  }
  await clinic.reconcile()
  return clinic
}
