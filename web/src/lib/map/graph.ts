import type { ProgramMap } from '../api-types.ts'

export type MapStep = ProgramMap['steps'][number]
export type MapPromise = ProgramMap['promises'][number]

/** What leads from one step to another: what journeys did, what the program promises, or both. */
export interface MapEdge {
  /** `booked..confirmed`, as the address names it. */
  readonly id: string
  readonly from: string
  readonly to: string
  /** Journeys that went straight from the one to the other. */
  readonly journeys: number
  readonly medianMs: number | null
  readonly promises: readonly MapPromise[]
  readonly openFindings: number
  /** What is promised is that it never happens. */
  readonly isForbidden: boolean
}

export interface MapGraph {
  readonly steps: readonly MapStep[]
  readonly edges: readonly MapEdge[]
  /** By step: promises about that step alone. */
  readonly ofStep: ReadonlyMap<string, readonly MapPromise[]>
  /** Promises about no single step. */
  readonly ofNone: readonly MapPromise[]
  /** Moves that few journeys made and nothing is promised of: not among the edges unless asked for. */
  readonly rare: number
  /** Journeys of the busiest edge, at least 1. */
  readonly most: number
}

/** A move is rare when less than one journey in 25 made it. */
const rareShare = 1 / 25

export const edgeId = (from: string, to: string): string => `${from}..${to}`

export function toGraph(map: Pick<ProgramMap, 'steps' | 'moves' | 'promises' | 'journeys'>, withRare: boolean): MapGraph {
  const known = new Set(map.steps.map(({ step }) => step))
  const drawn = map.promises.filter(({ from, to }) => from !== null && to !== null && from !== to && known.has(from) && known.has(to))
  const promised = Map.groupBy(drawn, ({ from, to }) => edgeId(from ?? '', to ?? ''))
  const moves = new Map(
    map.moves.flatMap((move) =>
      move.from !== null && known.has(move.from) && known.has(move.to) ? [[edgeId(move.from, move.to), move] as const] : [],
    ),
  )
  const isRare = (id: string) => !promised.has(id) && (moves.get(id)?.journeys ?? 0) < Math.max(1, map.journeys * rareShare)
  const ids = [...new Set([...moves.keys(), ...promised.keys()])]
  const edges = ids
    .filter((id) => withRare || !isRare(id))
    .map((id): MapEdge => {
      const [from = '', to = ''] = id.split('..')
      const promises = promised.get(id) ?? []
      return {
        id,
        from,
        to,
        journeys: moves.get(id)?.journeys ?? 0,
        medianMs: moves.get(id)?.medianMs ?? null,
        promises,
        openFindings: promises.reduce((sum, { openFindings }) => sum + openFindings, 0),
        isForbidden: promises.some(({ kind }) => kind === 'never'),
      }
    })
  const others = map.promises.filter((promise) => !drawn.includes(promise))
  const aboutStep = others.filter(({ to }) => to !== null && known.has(to))
  return {
    steps: map.steps,
    edges,
    ofStep: Map.groupBy(aboutStep, ({ to }) => to ?? ''),
    ofNone: others.filter((promise) => !aboutStep.includes(promise)),
    rare: ids.filter(isRare).length,
    most: Math.max(1, ...edges.map(({ journeys }) => journeys)),
  }
}

/** Line width in pixels: the area grows with the journeys. */
export const widthOf = (journeys: number, most: number): number => (journeys === 0 ? 1.5 : 1.5 + 6.5 * Math.sqrt(journeys / most))
