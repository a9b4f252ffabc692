import { toast } from 'svelte-sonner'
import { api } from '../api.ts'
import type { BulkAct, FindingAction, FindingRow } from '../api-types.ts'
import { Problem } from '../problem.ts'
import { actedWords, bulkShown } from './bulk-shown.svelte.ts'

/** What each action asks for beside the finding. */
export interface Asks {
  acknowledge: Record<never, never>
  claim: Record<never, never>
  release: Record<never, never>
  assign: { owner: string; reason?: string }
  snooze: { until: string }
  unsnooze: Record<never, never>
  waive: { reason: string; until: string }
  comment: { body: string }
  'false-alarm': { reason: string }
}
export type Target = Pick<FindingRow, 'id' | 'revision' | 'can' | 'owner'>
export type ManyAction = Exclude<FindingAction, 'comment'>

/** All that match, as they were counted: the person confirmed this number. */
export interface Matching {
  query: string
  expected: number
  asOf: string
}

const send: { [A in FindingAction]: (target: Target, asked: Asks[A]) => Promise<FindingRow> } = {
  acknowledge: (target) => api.acknowledge(target),
  claim: (target) => api.claim(target),
  release: (target) => api.release(target),
  assign: (target, asked) => api.assign(target, asked),
  snooze: (target, asked) => api.snooze(target, asked),
  unsnooze: (target) => api.unsnooze(target),
  waive: (target, asked) => api.waive(target, asked),
  comment: (target, asked) => api.comment(target, asked),
  'false-alarm': (target, asked) => api.dismiss(target, asked),
}

/** What takes it back, where that makes sense. */
function undo(action: FindingAction, before: Target, after: FindingRow): (() => Promise<FindingRow>) | undefined {
  if (action === 'claim') return () => api.release(after)
  if (action === 'snooze') return () => api.unsnooze(after)
  if (action === 'assign') return () => api.assign(after, { owner: before.owner.key, reason: 'Taken back.' })
  return undefined
}

/**
 * Does one thing to one finding, or the same to several, and says how it went. Someone else being first is a normal answer, told as such.
 * What one finding has become is returned; several are followed until they are done.
 */
export async function act<A extends FindingAction>(
  targets: readonly Target[],
  action: A,
  asked: Asks[A],
  onEnd?: () => void,
): Promise<FindingRow | undefined> {
  const [target] = targets
  if (targets.length > 1 && action !== 'comment') {
    const bulk = await actOnMany(action as ManyAction, asked as Asks[ManyAction], { findings: targets })
    if (bulk) bulkShown.follow(bulk, () => onEnd?.())
    return undefined
  }
  if (!target) return undefined
  const can = target.can[action]
  if (!can.ok) {
    toast.error(can.why)
    return undefined
  }
  try {
    const changed = await send[action](target, asked)
    const back = undo(action, target, changed)
    toast.success(`1 finding ${actedWords[action]}.`, back ? { action: { label: 'Undo', onClick: () => void takeBack(back, onEnd) } } : {})
    return changed
  } catch (problem) {
    tellProblem(problem)
    return undefined
  }
}

async function takeBack(back: () => Promise<unknown>, onUndone?: () => void): Promise<void> {
  try {
    await back()
    toast.success('Taken back.')
  } catch (problem) {
    tellProblem(problem)
  }
  onUndone?.()
}

/** Begins one act on many findings: those named, or all that match. Undefined: it was refused, and said so. */
export async function actOnMany<A extends ManyAction>(
  action: A,
  asked: Asks[A],
  on: { findings: readonly Target[] } | { matching: Matching },
): Promise<BulkAct | undefined> {
  const act = action === 'false-alarm' ? 'false_alarm' : action
  const scope = 'findings' in on ? { findings: on.findings.map(({ id, revision }) => ({ id, revision })) } : on
  try {
    return await api.beginBulk({ asked: { act, ...asked }, ...scope } as Parameters<typeof api.beginBulk>[0])
  } catch (problem) {
    tellProblem(problem)
    return undefined
  }
}

function tellProblem(problem: unknown): void {
  if (!(problem instanceof Problem) || !problem.isConflict) {
    toast.error(problem instanceof Error ? problem.message : 'It failed.')
  } else if (/changed while|was first/i.test(problem.message)) {
    toast.info('This finding changed while you looked. Nothing was overwritten: check what is new and try again.')
  } else toast.info(problem.message)
}
