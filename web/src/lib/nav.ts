import Cable from '@lucide/svelte/icons/cable'
import CircleAlert from '@lucide/svelte/icons/circle-alert'
import FileCode from '@lucide/svelte/icons/file-code'
import CircleQuestionMark from '@lucide/svelte/icons/circle-question-mark'
import FileText from '@lucide/svelte/icons/file-text'
import House from '@lucide/svelte/icons/house'
import LifeBuoy from '@lucide/svelte/icons/life-buoy'
import ListChecks from '@lucide/svelte/icons/list-checks'
import BookOpenCheck from '@lucide/svelte/icons/book-open-check'
import Stamp from '@lucide/svelte/icons/stamp'
import Route from '@lucide/svelte/icons/route'
import ScrollText from '@lucide/svelte/icons/scroll-text'
import Settings from '@lucide/svelte/icons/settings'
import Waypoints from '@lucide/svelte/icons/waypoints'
import type { Status } from './api-types.ts'
import { paths } from './paths.ts'

export const navGroups = ['Watch', 'Recover', 'Promises', 'Set up'] as const

export interface NavEntry {
  readonly group: (typeof navGroups)[number]
  readonly title: string
  readonly href: string
  /** Typed after `g`. */
  readonly key: string
  readonly icon: typeof Route
  /** A number beside the entry that asks for attention, with the words that make it a sentence: `3 open`. */
  readonly badge?: (status: Status) => { readonly count: number; readonly words: string }
}

/**
 * The sidebar, the bar of a phone, the `g …` keys and the palette, in this order: one line each. On a phone the first
 * four are always in sight.
 */
export const nav: readonly NavEntry[] = [
  { group: 'Watch', title: 'Overview', href: paths.overview(), key: 'o', icon: House },
  {
    group: 'Watch',
    title: 'Findings',
    href: paths.findings(),
    key: 'f',
    icon: CircleAlert,
    badge: ({ findings }) => ({ count: findings.open, words: 'open' }),
  },
  { group: 'Watch', title: 'Journeys', href: paths.journeys(), key: 'j', icon: Route },
  { group: 'Watch', title: 'Reports', href: paths.reports(), key: 'r', icon: FileText },
  { group: 'Recover', title: 'Runs', href: paths.runs(), key: 'u', icon: LifeBuoy },
  { group: 'Recover', title: 'Approvals', href: paths.approvals(), key: 'v', icon: Stamp },
  { group: 'Promises', title: 'Map', href: paths.map(), key: 'm', icon: Waypoints },
  { group: 'Promises', title: 'Expectations', href: paths.expectations(), key: 'e', icon: ListChecks },
  { group: 'Promises', title: 'Runbooks', href: paths.runbooks(), key: 'b', icon: BookOpenCheck },
  {
    group: 'Promises',
    title: 'Connections',
    href: paths.connections(),
    key: 'c',
    icon: Cable,
    badge: ({ connections }) => ({ count: connections.notFresh, words: 'not up to date' }),
  },
  { group: 'Set up', title: 'Programs', href: paths.programs(), key: 'p', icon: FileCode },
  { group: 'Set up', title: 'Audit', href: paths.audit(), key: 'a', icon: ScrollText },
  { group: 'Set up', title: 'Settings', href: paths.settings(), key: 's', icon: Settings },
  { group: 'Set up', title: 'Help', href: paths.help(), key: 'h', icon: CircleQuestionMark },
]

/** The page itself and everything below it. */
export const isWithin = (href: string, pathname: string): boolean => pathname === href || (href !== '/' && pathname.startsWith(`${href}/`))
