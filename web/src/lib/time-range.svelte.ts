import { goto } from '$app/navigation'
import { page } from '$app/state'
import { live } from './live.svelte.ts'
import { boundsOf, lastOf, type Preset, type RangeText, rangeTitle, readRange } from './time-range.ts'
import { shownZone } from './zone.svelte.ts'

/** The range of a page: what its address says, else its own default. */
export interface TimeRange {
  /** Epoch ms by the workspace's clock. A range up to `now` moves with it. */
  readonly from: number
  readonly to: number
  /** `Last 7 days` */
  readonly label: string
  /** For links: `from` and `to` as in the address, empty where the page's default holds. Also what to read again on. */
  readonly params: { readonly from: string; readonly to: string }
  /** The same, as written in the address or by default. */
  readonly text: RangeText
  /** For the API: ISO instants, once the workspace's clock is known (the demo's runs faster than this browser's). */
  bounds(): Promise<{ from: string; to: string }>
  /** Puts another range into the address; everything else in it stays. */
  show(range: RangeText): Promise<void>
}

/**
 * Call while a component initialises.
 *
 *     const range = useTimeRange('7d')
 *     const report = useResource(() => range.text.from + range.text.to, async (signal) => api.report(await range.bounds(), signal))
 */
export function useTimeRange(preset: Preset): TimeRange {
  const usual = lastOf(preset)
  const asked = $derived(readRange(page.url.searchParams, usual))
  const isUsual = $derived(asked.from === usual.from && asked.to === usual.to)
  return {
    get from() {
      return boundsOf(asked, live.now).from
    },
    get to() {
      return boundsOf(asked, live.now).to
    },
    get label() {
      return rangeTitle(asked, live.now, shownZone())
    },
    get params() {
      return isUsual ? { from: '', to: '' } : asked
    },
    get text() {
      return asked
    },
    async bounds() {
      await live.clockKnown
      const { from, to } = boundsOf(asked, live.now)
      return { from: new Date(from).toISOString(), to: new Date(to).toISOString() }
    },
    async show(range) {
      const url = new URL(page.url.href)
      for (const end of ['from', 'to'] as const) url.searchParams.set(end, range[end])
      if (range.from === usual.from && range.to === usual.to) for (const end of ['from', 'to']) url.searchParams.delete(end)
      // A cursor belongs to the range it was read for.
      url.searchParams.delete('cursor')
      await goto(url, { reset: false })
    },
  }
}
