import { untrack } from 'svelte'
import { Problem, unreachable } from './problem.ts'

const skeletonAfterMs = 300

/**
 * One thing a page reads from the API, and the state it is in. Data stays on screen while it is read again and when
 * reading again fails (`problem` is then set beside `data`: the stale banner).
 */
export class Resource<T> {
  data = $state.raw<T>()
  problem = $state.raw<Problem>()
  isLoading = $state(true)
  /** True once loading without data took long enough to deserve a skeleton. */
  isSlow = $state(false)

  #load: (signal: AbortSignal) => Promise<T>
  #running: AbortController | undefined

  constructor(load: (signal: AbortSignal) => Promise<T>) {
    this.#load = load
  }

  async refresh(): Promise<void> {
    this.#running?.abort()
    const running = new AbortController()
    this.#running = running
    this.isLoading = true
    const slow = setTimeout(() => {
      if (!running.signal.aborted) this.isSlow = true
    }, skeletonAfterMs)
    try {
      const data = await this.#load(running.signal)
      if (running.signal.aborted) return
      this.data = data
      this.problem = undefined
    } catch (cause) {
      if (running.signal.aborted) return
      this.problem = cause instanceof Problem ? cause : unreachable(cause)
    } finally {
      clearTimeout(slow)
      if (!running.signal.aborted) {
        this.isLoading = false
        this.isSlow = false
      }
    }
  }

  clear(): void {
    this.data = undefined
    this.problem = undefined
  }

  stop(): void {
    this.#running?.abort()
  }
}

/** Reads again whenever `key` changes; what was read for another key is not shown meanwhile. Call while a component initialises. */
export function useResource<T>(key: () => string, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const resource = new Resource<T>(load)
  $effect(() => {
    key()
    untrack(() => {
      resource.clear()
      void resource.refresh()
    })
    return () => resource.stop()
  })
  return resource
}
