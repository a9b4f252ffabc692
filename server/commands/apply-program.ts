import { applyPlan } from '../../jobs/apply-programs.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { whatMoved } from '../../jobs/domain/program-plan.ts'
import type { AppDeps } from '../deps.ts'
import { planOne, readDraft } from '../read-program-draft.ts'

/**
 * Brings one program into force, exactly as it was planned.
 * @throws AppError invalid_configuration for a text with mistakes; conflict when the plan is stale, or someone was first.
 */
export async function applyProgram(
  deps: AppDeps,
  { key, source, plan }: { readonly key: string; readonly source: string; readonly plan: string },
): Promise<{ readonly version: number; readonly changed: boolean }> {
  const { database, id, clock, programs } = deps.workspace
  const made = await planOne(deps, readDraft(deps, key, source))
  const moved = whatMoved(plan, made.id)
  if (moved === 'unreadable')
    throw new AppError('invalid_input', 'This is no plan id. Plan the change first; the plan names what is applied.')
  if (moved === 'sources')
    throw new AppError('conflict', 'The text is another one than was planned. Nothing was applied: plan it again and look at what it does.')
  const current = made.inForce.find(({ program }) => program === key)
  if (moved !== 'nothing') {
    throw new AppError(
      'conflict',
      current === undefined
        ? `Nothing was applied: meanwhile "${key}" went out of force. Plan it again.`
        : `Nothing was applied: meanwhile ${current.appliedBy} applied version ${current.version} of "${key}" (${new Date(current.appliedAt).toISOString()}). Look at it, then plan your change again.`,
    )
  }
  if (made.changes.length === 0) return { version: current?.version ?? 0, changed: false }
  const versions = await applyPlan(database.sql, id, made, { by: deps.me.id, now: clock.now() })
  const version = versions?.get(key)
  if (version === undefined)
    throw new AppError('conflict', 'Nothing was applied: someone applied programs at the same moment. Plan it again.')
  await programs.refresh(database.sql)
  return { version, changed: true }
}
