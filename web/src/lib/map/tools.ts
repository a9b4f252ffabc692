import type { ProgramMap } from '../api-types.ts'

/** A hue per tool, besides its name: steps of one tool are found together at a glance. Away from the hues that mean good and bad. */
const hues = [266, 200, 310, 95, 235, 340, 175, 60]

export function huesOf(steps: ProgramMap['steps']): ReadonlyMap<string, number> {
  const tools = [...new Set(steps.map(({ connection }) => connection))].sort()
  return new Map(tools.map((tool, index) => [tool, hues[index % hues.length] ?? 266]))
}
