import { z } from '@hono/zod-openapi'
import type { TimeSpan } from '../../db/records/findings.ts'

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const place = /^(?:now(?:([+-])(\d{1,5})([mhdw]))?|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))$/

/** `<from>..<to>`, either may be left out: ISO instants with their zone, or `now`, `now-24h`, `now+7d`. The end does not belong to it. */
export const spanShape = z
  .string()
  .max(80)
  .refine((text) => {
    const ends = text.split('..')
    return ends.length === 2 && text !== '..' && ends.every((end) => end === '' || (place.test(end) && !Number.isNaN(instantOf(end, 0))))
  }, 'expected <from>..<to>, such as now-24h..now or 2026-03-02T00:00:00Z..')
  .optional()
  .openapi({ type: 'string', example: 'now-24h..now' })

export function spanOf<Name extends string>(name: Name, text: string | undefined, now: number): { [name in Name]?: TimeSpan } {
  if (text === undefined) return {}
  const [from = '', to = ''] = text.split('..')
  return { [name]: { from: from === '' ? null : instantOf(from, now), to: to === '' ? null : instantOf(to, now) } } as {
    [name in Name]?: TimeSpan
  }
}

function instantOf(text: string, now: number): number {
  if (!text.startsWith('now')) return Date.parse(text)
  const [, sign, amount, unit] = place.exec(text) ?? []
  if (amount === undefined) return now
  return now + (sign === '-' ? -1 : 1) * Number(amount) * unitMs[unit as keyof typeof unitMs]
}
