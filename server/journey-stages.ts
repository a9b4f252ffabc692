import { z } from '@hono/zod-openapi'
import type { StageCount } from '../db/records/journey-counts.ts'
import { type StageStillness, stillnessEdgesMs } from '../db/records/journey-stillness.ts'
import type { Counted } from '../db/records/tallies.ts'
import type { Names } from '../jobs/domain/finding-kinds/words.ts'
import type { Program } from '../jobs/domain/program.ts'
import { iso, isoTime } from './shapes/common.ts'

export const stagesShape = z
  .object({
    /** When these were counted: in large records not at every request. */
    asOf: isoTime,
    /** Where a step of stillness ends and the next begins, in seconds. */
    edges: z.array(z.int()),
    programs: z.array(
      z.object({
        program: z.string(),
        title: z.string(),
        stages: z.array(
          z.object({
            stage: z.string(),
            title: z.string(),
            goingOn: z.int(),
            ended: z.int(),
            /** Of those going on, with an open finding. */
            withFindings: z.int(),
            /** Those going on, by for how long nothing has happened: one more than there are edges. */
            still: z.array(z.object({ journeys: z.int(), withFindings: z.int() })),
          }),
        ),
      }),
    ),
  })
  .openapi('JourneyStages')
export type JourneyStages = z.output<typeof stagesShape>

/** Stages in the order their program declares them; one that no program declares any more comes last. */
export function toStagesView(
  programs: readonly { readonly program: Pick<Program, 'key' | 'title' | 'steps'> }[],
  still: Counted<readonly StageStillness[]>,
  standing: Counted<readonly StageCount[]>,
  names: (program: string) => Names,
): JourneyStages {
  const keys = [...new Set([...programs.map(({ program }) => program.key), ...still.counts.map((one) => one.program)])]
  return {
    asOf: iso(Math.min(still.asOf, standing.asOf)),
    edges: stillnessEdgesMs.map((ms) => ms / 1000),
    programs: keys.map((key) => {
      const program = programs.find((one) => one.program.key === key)?.program
      const own = still.counts.filter((one) => one.program === key)
      const ended = standing.counts.filter((one) => one.program === key && one.ended)
      const used = new Set([...own, ...ended].map((one) => one.stage))
      const order = [...(program?.steps.keys() ?? [])].filter((step) => used.has(step))
      return {
        program: key,
        title: program?.title ?? key,
        stages: [...order, ...[...used].filter((stage) => !order.includes(stage))].map((stage) => {
          const here = own.filter((one) => one.stage === stage)
          const sum = (of: 'journeys' | 'withFindings', list: readonly StageStillness[] = here) =>
            list.reduce((all, one) => all + one[of], 0)
          return {
            stage,
            title: names(key).step(stage),
            goingOn: sum('journeys'),
            ended: ended.filter((one) => one.stage === stage).reduce((all, one) => all + one.journeys, 0),
            withFindings: sum('withFindings'),
            still: Array.from({ length: stillnessEdgesMs.length + 1 }, (_, step) => {
              const cell = here.filter((one) => one.step === step)
              return { journeys: sum('journeys', cell), withFindings: sum('withFindings', cell) }
            }),
          }
        }),
      }
    }),
  }
}
