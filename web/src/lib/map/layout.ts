import type { MapEdge, MapGraph, MapStep } from './graph.ts'

export interface Place {
  /** Centre, pixels. */
  readonly x: number
  readonly y: number
}

export interface MapLayout {
  readonly width: number
  readonly height: number
  readonly steps: readonly (Place & { readonly step: MapStep })[]
  readonly edges: readonly { readonly edge: MapEdge; readonly path: string; readonly label: Place & { readonly width: number } }[]
}

export const stepSize = { width: 200, height: 74 } as const
const labelHeight = 26
const margin = 16

/** From the top down: steps in the order journeys pass them, busy ways short and straight. The library is fetched when first asked for. */
export async function layOut(graph: MapGraph, labelOf: (edge: MapEdge) => string): Promise<MapLayout> {
  const { Graph, layout } = await import('@dagrejs/dagre')
  const drawing = new Graph({ directed: true, multigraph: false })
  drawing.setGraph({ rankdir: 'TB', nodesep: 36, edgesep: 22, ranksep: 34, marginx: margin, marginy: margin, acyclicer: 'greedy' })
  for (const { step } of graph.steps) drawing.setNode(step, { ...stepSize })
  const widths = new Map(graph.edges.map((edge) => [edge.id, labelWidth(labelOf(edge), edge)]))
  for (const edge of graph.edges) {
    drawing.setEdge(edge.from, edge.to, {
      width: widths.get(edge.id) ?? 0,
      height: labelHeight,
      labelpos: 'c',
      weight: 1 + Math.round((8 * edge.journeys) / graph.most),
    })
  }
  layout(drawing)
  const size = drawing.graph() as { width?: number; height?: number }
  return {
    width: Math.ceil(size.width ?? 0),
    height: Math.ceil(size.height ?? 0),
    steps: graph.steps
      .map((step) => {
        const { x = 0, y = 0 } = drawing.node(step.step) as Partial<Place>
        return { step, x, y }
      })
      .sort((a, b) => a.y - b.y || a.x - b.x),
    edges: graph.edges.map((edge) => {
      const { points = [], x = 0, y = 0 } = drawing.edge(edge.from, edge.to) as Partial<Place> & { points?: Place[] }
      return { edge, path: smooth(points), label: { x, y, width: widths.get(edge.id) ?? 0 } }
    }),
  }
}

const labelWidth = (text: string, edge: MapEdge): number => 18 + text.length * 6.4 + (edge.openFindings > 0 ? 16 : 0)

/** Through the middles between the points, so that no corner is left. */
function smooth(points: readonly Place[]): string {
  const [first, ...rest] = points
  const last = rest.at(-1)
  if (!first || !last) return ''
  const at = ({ x, y }: Place) => `${x.toFixed(1)} ${y.toFixed(1)}`
  const middles = rest.slice(0, -1).map((point, index) => {
    const next = rest[index + 1] ?? last
    const end = index === rest.length - 2 ? last : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 }
    return `Q ${at(point)} ${at(end)}`
  })
  return `M ${at(first)} ${middles.length ? middles.join(' ') : `L ${at(last)}`}`
}

/** The nearest place in a direction, as arrow keys move; what lies aside counts twice as far. Undefined: there is none. */
export function nearest<P extends Place>(places: readonly P[], from: Place, direction: 'up' | 'down' | 'left' | 'right'): P | undefined {
  const isUpright = direction === 'up' || direction === 'down'
  const sign = direction === 'up' || direction === 'left' ? -1 : 1
  let best: P | undefined
  let least = Number.POSITIVE_INFINITY
  for (const place of places) {
    const along = sign * (isUpright ? place.y - from.y : place.x - from.x)
    const aside = Math.abs(isUpright ? place.x - from.x : place.y - from.y)
    if (along < 1) continue
    const distance = along + 2 * aside
    if (distance < least) {
      least = distance
      best = place
    }
  }
  return best
}
