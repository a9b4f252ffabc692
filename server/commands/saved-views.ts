import { randomUUID } from 'node:crypto'
import type { DbTransaction } from '../../db/client.ts'
import { sealing } from '../../db/records/audit.ts'
import type { ViewAct } from '../../db/records/saved-views.ts'
import { addSavedView, changeSavedView, deleteSavedView, listSavedViews, lockSavedViews } from '../../db/records/saved-views.ts'
import type { SavedViewRow } from '../../db/schema/saved-views.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import type { AppDeps } from '../deps.ts'
import { builtInViews, toViewAddress } from '../finding-views.ts'

const viewsAtMost = 50

/** Keeps the filters of the list under a name, for everyone in the workspace. */
export function saveView(deps: AppDeps, view: { readonly name: string; readonly query: string }): Promise<SavedViewRow> {
  const query = toViewAddress(view.query)
  return within(deps, async (tx, act) => {
    const views = await listSavedViews(tx, deps.workspace.id)
    if (views.length >= viewsAtMost) throw new AppError('conflict', `There are ${viewsAtMost} saved views. Delete one that nobody uses.`)
    refuseTaken(view.name, views)
    const saved = await addSavedView(tx, deps.workspace.id, { id: randomUUID().replaceAll('-', ''), name: view.name, query }, act)
    if (!saved) throw taken(view.name)
    return saved
  })
}

export interface ViewChange {
  readonly id: string
  /** The revision the person was looking at. */
  readonly revision: number
}

/** Gives a view another name, other filters, or both. */
export function changeView(
  deps: AppDeps,
  { id, revision, name, query }: ViewChange & { readonly name?: string | undefined; readonly query?: string | undefined },
): Promise<SavedViewRow> {
  const address = query === undefined ? undefined : toViewAddress(query)
  return within(deps, async (tx, act) => {
    const views = await listSavedViews(tx, deps.workspace.id)
    const found = foundOf(views, id, revision)
    if (name !== undefined)
      refuseTaken(
        name,
        views.filter((view) => view.id !== id),
      )
    const changed = await changeSavedView(tx, deps.workspace.id, found, { name: name ?? found.name, query: address ?? found.query }, act)
    if (!changed) throw someoneWasFirst(found)
    return changed
  })
}

export function deleteView(deps: AppDeps, { id, revision }: ViewChange): Promise<SavedViewRow> {
  return within(deps, async (tx, act) => {
    const found = foundOf(await listSavedViews(tx, deps.workspace.id), id, revision)
    if (!(await deleteSavedView(tx, deps.workspace.id, found, act))) throw someoneWasFirst(found)
    return found
  })
}

function within<T>({ workspace, me }: AppDeps, change: (tx: DbTransaction, act: ViewAct) => Promise<T>): Promise<T> {
  return sealing(workspace.database.db, async (tx) => {
    await lockSavedViews(tx, workspace.id)
    return change(tx, { actor: me.id, at: workspace.clock.now() })
  })
}

function foundOf(views: readonly SavedViewRow[], id: string, revision: number): SavedViewRow {
  const found = views.find((view) => view.id === id)
  if (!found) throw new AppError('not_found', 'There is no such saved view. Someone may have deleted it.')
  if (found.revision !== revision) throw someoneWasFirst(found)
  return found
}

function refuseTaken(name: string, views: readonly SavedViewRow[]): void {
  const names = [...builtInViews, ...views].map((view) => view.name.toLowerCase())
  if (names.includes(name.toLowerCase())) throw taken(name)
}

const taken = (name: string) => new AppError('conflict', `There is a view “${name}” already. Choose another name.`)
const someoneWasFirst = (view: SavedViewRow) =>
  new AppError('conflict', `The view “${view.name}” changed while you looked. Nothing was overwritten; look at it again.`)
