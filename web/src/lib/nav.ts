import Cable from '@lucide/svelte/icons/cable'
import CircleAlert from '@lucide/svelte/icons/circle-alert'
import Route from '@lucide/svelte/icons/route'
import { paths } from './paths.ts'

/** The sidebar, the `g …` shortcuts and the palette, in this order. */
export const nav = [
  { title: 'Findings', href: paths.findings(), key: 'f', icon: CircleAlert },
  { title: 'Journeys', href: paths.journeys(), key: 'j', icon: Route },
  { title: 'Connections', href: paths.connections(), key: 'c', icon: Cable },
] as const
