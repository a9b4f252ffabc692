import CircleDashed from '@lucide/svelte/icons/circle-dashed'
import Link2Off from '@lucide/svelte/icons/link-2-off'
import ShieldCheck from '@lucide/svelte/icons/shield-check'
import ShieldQuestionMark from '@lucide/svelte/icons/shield-question-mark'
import type { Act, AuditChain } from '../api-types.ts'
import { paths } from '../paths.ts'
import type { Word } from '../words.ts'

export const chainStates: Record<AuditChain['state'], Word> = {
  holds: { word: 'Holds', icon: ShieldCheck, tone: 'good' },
  broken: { word: 'Does not hold', icon: Link2Off, tone: 'bad' },
  unverified: { word: 'Not verified yet', icon: ShieldQuestionMark, tone: 'warn' },
  empty: { word: 'Empty', icon: CircleDashed, tone: 'plain' },
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** `finding.false-alarm` → `False alarm`: what it is done to stands beside it. */
export const actTitle = (act: string): string => capital(act.replace(/^[^.]*\./, '').replaceAll(/[-_.]/g, ' '))

/** Where the thing an act was done to is shown; undefined: it has no page. */
export function targetHref({ kind, id }: Act['target']): string | undefined {
  switch (kind) {
    case 'finding':
      return paths.finding(id)
    case 'journey':
      return paths.journey(id)
    case 'run':
      return paths.run(id)
    case 'connection':
      return paths.connection(id)
    case 'stream':
      return paths.connection(id.split('.')[0] ?? id)
    case 'program':
      return paths.program(id)
    case 'runbook':
      return paths.runbook(id)
    case 'workspace':
      return paths.settings()
    case 'person':
    case 'invite':
      return paths.people()
    case 'token':
      return paths.tokens()
    default:
      return undefined
  }
}

/** Who looked at the chain. */
export const lookedBy = (by: string): string => (by === 'throughline' ? 'Throughline' : `the ${by}`)

/** `webhook:vault` → `Webhook vault`. */
export const checkpointTarget = (target: string): string => (target === 'file' ? 'File' : capital(target.replace(':', ' ')))

/** How two wall or domain times differ enough to be told apart. */
const apartMs = 60_000
export const isApart = ({ at, recordedAt }: Act): boolean => Math.abs(Date.parse(at) - Date.parse(recordedAt)) >= apartMs

export interface Difference {
  readonly field: string
  readonly before: string | null
  readonly after: string | null
}

/** Field by field; null: it was not there. */
export function differencesOf({ before, after }: Act): Difference[] {
  const text = (fields: Act['before'], field: string) => {
    if (fields === null || !Object.hasOwn(fields, field)) return null
    const value = fields[field]
    if (value === null || value === '') return 'none'
    return typeof value === 'string' ? value : JSON.stringify(value)
  }
  return [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].map((field) => ({
    field,
    before: text(before, field),
    after: text(after, field),
  }))
}
