import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { loadConfiguration } from '../../../jobs/configuration.ts'
import { connectors } from '../../../jobs/connectors/index.ts'
import { openWorkspace } from '../../../jobs/open-workspace.ts'
import { judge, poll } from '../../../jobs/reconcilers/reconcile.ts'
import { withDatabase } from '../../support/database.ts'
import { movedClock } from '../../support/paged-workspace.ts'

const main = await withDatabase()
const folder = await mkdtemp(join(tmpdir(), 'throughline-final-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

it('semantics 8: what was judged before the last final file was read is judged again when it is, though that tells nothing new of it', async () => {
  await mkdir(join(folder, 'programs'))
  const file = (stream: string, more = '') =>
    `{ stream: ${stream}, path: ${stream}.csv, format: csv, final: true, id: id, event: done, time: { column: t, format: iso }, subject: { external: { column: who, system: who } }${more} }`
  await writeFile(
    join(folder, 'connections.yaml'),
    `workspace: { title: Test, time_zone: UTC }
connections:
  orders: { connector: file-drop, title: Orders, config: { files: [ ${file('placed')} ] } }
  parcels: { connector: file-drop, title: Parcels, config: { files: [ ${file('sent', ', lag: 2d')} ] } }
`,
  )
  await writeFile(join(folder, 'owners.yaml'), 'owners: { desk: { title: Desk } }\ndefault: desk\n')
  await writeFile(
    join(folder, 'programs', 'orders.yaml'),
    `program: orders
title: Orders
owner: desk
journey: { per: subject, starts: placed }
steps:
  placed: { stream: orders.placed }
  sent: { stream: parcels.sent }
expectations:
  soon: { after: placed, expect: sent, within: 1h }
  ever: { after: placed, expect: sent }
`,
  )
  await writeFile(join(folder, 'placed.csv'), 'id,t,who\no1,2026-03-02T09:00:00Z,ada\n')
  await writeFile(join(folder, 'sent.csv'), 'id,t,who\ns1,2026-03-02T09:30:00Z,ben\n')
  const clock = movedClock('2026-03-02T12:00:00Z')
  const configuration = await loadConfiguration(folder, {}, connectors)
  const workspace = await openWorkspace({
    configuration,
    connectors,
    ownerUrl: await main.another(),
    workspaceKey: Buffer.alloc(32, 7),
    clock,
    actor: 'test',
  })
  const kinds = async () =>
    (
      await workspace.database
        .sql`select expectation, kind from findings where workspace_id = ${workspace.id} and kind <> 'blind' order by 1`
    ).map((row) => `${row.expectation}: ${row.kind}`)
  await poll(workspace, 'orders')
  await judge(workspace)
  expect(await kinds()).toEqual([])
  clock.at += 60_000
  await poll(workspace, 'parcels')
  await judge(workspace)
  expect(await kinds()).toEqual(['ever: gap', 'soon: gap'])
  await workspace.close()
})
