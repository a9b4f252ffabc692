import { api } from '../api.ts'
import type { Cluster, JourneyDetail, JourneyEvent, JourneyEvents } from '../api-types.ts'

type Window = Pick<JourneyEvents, 'items' | 'clusters'>

export interface Unfolded {
  events: JourneyEvent[]
  clusters: Cluster[]
}

/** The events of a journey with the clusters that were opened replaced by what they hold; in order, each once. */
export function unfold(journey: Pick<JourneyDetail, 'events' | 'clusters'>, windows: ReadonlyMap<string, Window>): Unfolded {
  if (!journey.clusters?.length) return { events: journey.events, clusters: [] }
  const events = new Map(journey.events.map((event) => [event.id, event]))
  const clusters: Cluster[] = []
  const open = [...journey.clusters]
  for (let cluster = open.pop(); cluster; cluster = open.pop()) {
    const window = windows.get(cluster.id)
    if (window === undefined) {
      clusters.push(cluster)
      continue
    }
    for (const event of window.items) if (!events.has(event.id)) events.set(event.id, event)
    open.push(...window.clusters)
  }
  const byTime = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return {
    events: [...events.values()].sort((a, b) => byTime(a.occurredAt, b.occurredAt)),
    clusters: clusters.sort((a, b) => byTime(a.from, b.from)),
  }
}

/** Clusters of one journey that were opened. Each is read once, also when it is asked for several times. */
export class OpenedClusters {
  windows = $state.raw<ReadonlyMap<string, Window>>(new Map())
  #reading = new Map<string, Promise<void>>()
  #journeyId: string

  constructor(journeyId: string) {
    this.#journeyId = journeyId
  }

  open(cluster: Cluster): Promise<void> {
    if (this.windows.has(cluster.id)) return Promise.resolve()
    const reading =
      this.#reading.get(cluster.id) ??
      this.#read(cluster).catch(() => {
        // It stays a counted cluster; opening it again asks again.
        this.#reading.delete(cluster.id)
      })
    this.#reading.set(cluster.id, reading)
    return reading
  }

  async #read({ id, connection, from, to }: Cluster): Promise<void> {
    const { items, clusters } = await api.journeyEvents(this.#journeyId, { connection, from, to, fold: 'true' })
    this.windows = new Map(this.windows).set(id, { items, clusters })
  }
}
