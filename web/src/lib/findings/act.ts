import { toast } from 'svelte-sonner'
import { api } from '../api.ts'
import type { FindingAction, FindingRow } from '../api-types.ts'
import { counted } from '../format/count.ts'
import { Problem } from '../problem.ts'

const done: Record<FindingAction, string> = {
  acknowledge: 'acknowledged',
  assign: 'assigned',
  claim: 'claimed: it is yours to fix',
  release: 'released',
  snooze: 'snoozed',
  waive: 'waived',
  comment: 'commented',
  'false-alarm': 'closed as false alarm',
}

/** What each action asks for beside the finding. */
export interface Asks {
  acknowledge: Record<never, never>
  claim: Record<never, never>
  release: Record<never, never>
  assign: { owner: string }
  snooze: { until: string }
  waive: { reason: string; until: string }
  comment: { body: string }
  'false-alarm': { reason: string }
}
type Target = Pick<FindingRow, 'id' | 'revision' | 'can'>

const send: { [A in FindingAction]: (target: Target, asked: Asks[A]) => Promise<unknown> } = {
  acknowledge: (target) => api.acknowledge(target),
  claim: (target) => api.claim(target),
  release: (target) => api.release(target),
  assign: (target, asked) => api.assign(target, asked),
  snooze: (target, asked) => api.snooze(target, asked),
  waive: (target, asked) => api.waive(target, asked),
  comment: (target, asked) => api.comment(target, asked),
  'false-alarm': (target, asked) => api.dismiss(target, asked),
}

/** Does one thing to some findings and says how it went. Someone else being first is a normal answer, told as such. */
export async function act<A extends FindingAction>(targets: readonly Target[], action: A, asked: Asks[A]): Promise<void> {
  let succeeded = 0
  let conflicts = 0
  const refused: string[] = []
  for (const target of targets) {
    const can = target.can[action]
    if (!can.ok) {
      refused.push(can.why)
      continue
    }
    try {
      await send[action](target, asked)
      succeeded += 1
    } catch (problem) {
      if (problem instanceof Problem && problem.isConflict) conflicts += 1
      else refused.push(problem instanceof Error ? problem.message : 'It failed.')
    }
  }
  const [only] = refused
  if (succeeded > 0) toast.success(`${counted(succeeded, 'finding')} ${done[action]}.`)
  if (conflicts > 0) {
    toast.info(
      `${conflicts === 1 ? 'This finding' : counted(conflicts, 'finding')} changed while you looked. Nothing was overwritten: check what is new and try again.`,
    )
  }
  if (only) toast.error(refused.length === 1 ? only : `${refused.length} not ${done[action].split(':')[0]}. ${only}`)
}
