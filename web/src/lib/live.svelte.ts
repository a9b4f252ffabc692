import { api } from './api.ts'
import type { Status } from './api-types.ts'
import { names } from './people/names.svelte.ts'
import { Resource } from './resource.svelte.ts'

const statusEveryMs = 15_000
const tickMs = 5_000
/** Twice the feed's beat and a little: a picture nobody feeds says so within ten seconds. */
const silentAfterMs = 7_500
const watchEveryMs = 1_000

const topics = ['finding', 'journey', 'connection', 'run'] as const
export type Topic = (typeof topics)[number]
export interface Told {
  topic: Topic
  /** What is to be read again; empty: all of the topic. */
  ref: string
}
export type LiveState = 'connecting' | 'live' | 'paused' | 'stale'

/**
 * The live picture: the server's status, its clock, and what the feed tells. The domain clock is not the wall clock
 * (the demo runs faster), so every relative time on a page is measured against `now`.
 */
class Live {
  status = new Resource<Status>((signal) => api.status(signal))
  isPaused = $state(false)
  now = $state(Date.now())
  #isConnected = $state(false)
  #lastSign = $state(Date.now())
  #wallNow = $state(Date.now())
  #known = $state(Date.now())
  #pausedAt = $state(Date.now())
  #listeners = new Set<(told: Told) => void>()
  #anchor = { asOf: Date.now(), wall: Date.now(), speed: 1 }
  #knowClock = () => {}
  /** Resolves once the first status came or failed: from then on `now` is the workspace's clock as well as we can know it. */
  clockKnown = new Promise<void>((resolve) => {
    this.#knowClock = resolve
  })

  get state(): LiveState {
    if (this.isPaused) return 'paused'
    if (this.isStale) return 'stale'
    return this.#isConnected ? 'live' : 'connecting'
  }

  /** Something that keeps the picture true stands still, whether or not the reader paused it: then no page is calm. */
  get isStale(): boolean {
    return this.status.data?.state === 'stale' || this.isSilent
  }

  /** Nothing at all can be told: no answer, no feed, or a vital job of the engine stands still. */
  get isSilent(): boolean {
    if (this.status.problem || this.#wallNow - this.#lastSign > silentAfterMs) return true
    const { data } = this.status
    return data?.state === 'stale' && (this.standstills.length === 0 || this.standstills.some((each) => each.isVital))
  }

  get standstills(): Status['engine']['standstills'] {
    return this.status.data?.engine.standstills ?? []
  }

  /** Until the first status came nobody knows whether the picture is true. */
  get isKnown(): boolean {
    return this.status.data !== undefined || this.status.problem !== undefined
  }

  /** What the picture is as of: it stands still as soon as nothing is heard or the reader paused. */
  get asOf(): number {
    return this.state === 'paused' ? this.#pausedAt : this.state === 'stale' ? this.#known : this.now
  }

  get timeZone(): string {
    return this.status.data?.workspace.timeZone ?? 'UTC'
  }

  /** Tells `listener` of each change until the returned function is called. Nothing is told while paused. */
  listen(listener: (told: Told) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  togglePause(): void {
    this.#pausedAt = this.now
    this.isPaused = !this.isPaused
    if (!this.isPaused) this.#tellEverything()
  }

  start(): () => void {
    void this.#readStatus()
    const statusTimer = setInterval(() => void this.#readStatus(), statusEveryMs)
    const tickTimer = setInterval(() => this.#tick(), tickMs)
    const watchTimer = setInterval(() => {
      this.#wallNow = Date.now()
    }, watchEveryMs)
    const feed = new EventSource(api.feedUrl)
    feed.addEventListener('open', () => this.#sign())
    feed.addEventListener('error', () => {
      this.#isConnected = false
      // It was refused, and stays closed: the status says why, such as that nobody is signed in.
      if (feed.readyState === EventSource.CLOSED) void this.#readStatus()
    })
    feed.addEventListener('beat', () => this.#sign())
    feed.addEventListener('reset', () => {
      this.#sign()
      void this.#readStatus()
      if (!this.isPaused) this.#tellEverything()
    })
    for (const topic of topics) {
      feed.addEventListener(topic, (event) => {
        this.#sign()
        if (!this.isPaused) this.#tell({ topic, ref: refOf(event.data) })
      })
    }
    return () => {
      clearInterval(statusTimer)
      clearInterval(tickTimer)
      clearInterval(watchTimer)
      feed.close()
    }
  }

  #sign(): void {
    this.#isConnected = true
    this.#lastSign = Date.now()
  }

  #tell(told: Told): void {
    for (const listener of this.#listeners) listener(told)
  }

  #tellEverything(): void {
    for (const topic of topics) this.#tell({ topic, ref: '' })
  }

  async #readStatus(): Promise<void> {
    await this.status.refresh()
    const status = this.status.data
    if (!status || this.status.problem) return this.#knowClock()
    this.#known = Date.parse(status.asOf)
    this.#anchor = { asOf: Date.parse(status.asOf), wall: Date.now(), speed: status.demo?.speed ?? 1 }
    this.#tick()
    this.#knowClock()
  }

  #tick(): void {
    this.#wallNow = Date.now()
    this.now = this.#anchor.asOf + (Date.now() - this.#anchor.wall) * this.#anchor.speed
  }
}

function refOf(data: unknown): string {
  try {
    const parsed: unknown = JSON.parse(String(data))
    const ref = parsed && typeof parsed === 'object' ? Reflect.get(parsed, 'ref') : ''
    return typeof ref === 'string' && ref !== '*' ? ref : ''
  } catch {
    return ''
  }
}

export const live = new Live()

/** An actor as people say it. */
export function personName(actor: string): string {
  const me = live.status.data?.me
  return actor === me?.id || actor === me?.title ? 'you' : actor === 'throughline' ? 'Throughline' : names.titleOf(actor)
}
