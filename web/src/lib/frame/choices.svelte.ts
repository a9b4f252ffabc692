import CircleAlert from '@lucide/svelte/icons/circle-alert'
import Clock from '@lucide/svelte/icons/clock'
import Cable from '@lucide/svelte/icons/cable'
import Keyboard from '@lucide/svelte/icons/keyboard'
import ListChecks from '@lucide/svelte/icons/list-checks'
import Monitor from '@lucide/svelte/icons/monitor'
import Route from '@lucide/svelte/icons/route'
import Search from '@lucide/svelte/icons/search'
import UserRound from '@lucide/svelte/icons/user-round'
import { goto } from '$app/navigation'
import { api } from '../api.ts'
import { catalogue } from '../catalogue.svelte.ts'
import { shortId } from '../format/count.ts'
import { nav } from '../nav.ts'
import { paths } from '../paths.ts'
import { preferences, savePreferences } from '../preferences.svelte.ts'
import { isForEverywhere, type Shortcut } from '../shortcuts.svelte.ts'
import { looksLikeId, pathOfId } from './jump.ts'
import { bestOf } from './match.ts'
import type { Visited } from './recent.ts'

export interface Choice {
  readonly id: string
  readonly title: string
  /** What it is, beside the title. */
  readonly note?: string
  readonly keys?: string
  readonly icon: typeof Route
  readonly run: () => void
}
export interface ChoiceGroup {
  readonly title: string
  readonly choices: readonly Choice[]
}

const mostOfEach = 6
const link = (href: string, title: string, icon: Choice['icon'], note?: string): Choice => ({
  id: `${href} ${title}`,
  title,
  icon,
  ...(note ? { note } : {}),
  run: () => void goto(href),
})

/** The beginning of the id an address ends with, to tell two of the same title apart. */
function idIn(href: string): string | undefined {
  const last = decodeURIComponent(href.split('/').at(-1) ?? '')
  return looksLikeId(last) ? shortId(last) : undefined
}

/** What the palette offers for what was typed, without asking anyone. */
export function choicesFor(typed: string, actions: readonly Shortcut[], recent: readonly Visited[]): ChoiceGroup[] {
  const text = typed.trim()
  const some = (choices: readonly Choice[], most = mostOfEach) => bestOf(text, choices, ({ title, note }) => `${title} ${note ?? ''}`, most)
  const keys = actions.filter((each) => each.group !== 'Go to')
  const groups: ChoiceGroup[] = [
    {
      title: 'Recent',
      choices: some(
        recent.map((each) => link(each.href, each.title, Clock, idIn(each.href))),
        text ? mostOfEach : 4,
      ),
    },
    { title: 'Go to', choices: some(pages(), nav.length) },
    { title: 'On this page', choices: some(keys.filter((each) => !isForEverywhere(each)).map(toChoice), text ? mostOfEach : keys.length) },
    { title: 'Everywhere', choices: some([...keys.filter(isForEverywhere).map(toChoice), ...looks()], text ? mostOfEach : keys.length) },
  ]
  if (text) groups.push(...known(some))
  if (text) groups.push({ title: 'Search', choices: searches(text) })
  return groups.filter(({ choices }) => choices.length > 0)
}

/** Findings and journeys whose id, person or record begins with what was typed. Words are not asked for: they name none. */
export async function idChoices(typed: string, signal: AbortSignal): Promise<ChoiceGroup[]> {
  const text = typed.trim()
  if (text.length < 4 || !/\d/.test(text) || /\s/.test(text)) return []
  if (looksLikeId(text)) {
    const path = await pathOfId(text, signal)
    if (path)
      return [
        {
          title: 'By id',
          choices: [
            link(path, text, path.startsWith('/findings') ? CircleAlert : Route, path.startsWith('/findings') ? 'finding' : 'journey'),
          ],
        },
      ]
  }
  const [findings, journeys] = await Promise.all([
    api.findings({ q: text, status: 'all', limit: 4 }, signal),
    api.journeys({ q: text, limit: 4 }, signal),
  ])
  return [
    {
      title: 'Findings',
      choices: findings.items.map((each) => link(paths.finding(each.id), each.sentence, CircleAlert, shortId(each.id))),
    },
    {
      title: 'Journeys',
      choices: journeys.items.map((each) =>
        link(
          paths.journey(each.id),
          `${each.programTitle}: ${each.stageTitle}`,
          Route,
          each.object ? `${each.object.type} ${each.object.id}` : shortId(each.subjectId ?? each.id),
        ),
      ),
    },
  ].filter(({ choices }) => choices.length > 0)
}

const pages = (): Choice[] => nav.map((each) => ({ ...link(each.href, each.title, each.icon), keys: `g ${each.key}` }))

const toChoice = (shortcut: Shortcut): Choice => ({
  id: `key ${shortcut.keys}`,
  title: shortcut.label,
  keys: shortcut.keys,
  icon: Keyboard,
  run: shortcut.run,
})

const looks = (): Choice[] => [
  ...(['system', 'light', 'dark'] as const)
    .filter((theme) => theme !== preferences.theme)
    .map((theme) => ({
      id: `theme ${theme}`,
      title: theme === 'system' ? 'Theme as the system’s' : `${theme === 'dark' ? 'Dark' : 'Light'} theme`,
      icon: Monitor,
      run: () => savePreferences({ theme }),
    })),
  {
    id: 'density',
    title: preferences.density === 'compact' ? 'Comfortable density' : 'Compact density',
    icon: Monitor,
    run: () => savePreferences({ density: preferences.density === 'compact' ? 'comfortable' : 'compact' }),
  },
]

function known(some: (choices: readonly Choice[]) => Choice[]): ChoiceGroup[] {
  const words = catalogue.data
  if (!words) return []
  return [
    {
      title: 'Expectations',
      choices: some(words.expectations.map((each) => link(paths.expectation(each.program, each.key), each.title, ListChecks, each.key))),
    },
    { title: 'Connections', choices: some(words.connections.map((each) => link(paths.connection(each.id), each.title, Cable, each.id))) },
    {
      title: 'Owners',
      choices: some(
        words.owners.map((each) => link(paths.findings({ owner: each.key }), `Findings of ${each.title}`, UserRound, each.key)),
      ),
    },
    {
      title: 'Kinds of findings',
      choices: some(
        words.kinds.map((each) => link(paths.findings({ kind: each.kind }), `Findings: ${each.title}`, CircleAlert, each.kind)),
      ),
    },
  ]
}

const searches = (text: string): Choice[] => [
  link(paths.findings({ status: 'all', q: text }), `Search findings for “${text}”`, Search),
  link(paths.journeys({ q: text }), `Search journeys for “${text}”`, Search),
]
