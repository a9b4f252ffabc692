import { live } from './live.svelte.ts'
import { preferences, type Zone } from './preferences.svelte.ts'

/** The IANA name of the zone that times are shown in. */
export function shownZone(zone: Zone = preferences.zone): string {
  return zone === 'utc' ? 'UTC' : zone === 'browser' ? Intl.DateTimeFormat().resolvedOptions().timeZone : live.timeZone
}

export const zones: readonly { readonly id: Zone; readonly title: string }[] = [
  { id: 'workspace', title: 'Workspace’s zone' },
  { id: 'browser', title: 'This browser’s zone' },
  { id: 'utc', title: 'UTC' },
]
