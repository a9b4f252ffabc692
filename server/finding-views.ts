import { z } from '@hono/zod-openapi'
import { AppError } from '../jobs/domain/errors.ts'
import { findingFilterShape, findingSortShape } from './finding-query.ts'

export interface BuiltInView {
  readonly id: string
  readonly name: string
  readonly query: string
}

/** What everyone finds above the list on the first day. The first is the list as it opens. */
export const builtInViews: readonly BuiltInView[] = [
  { id: 'open', name: 'All open', query: '' },
  { id: 'mine', name: 'Mine', query: 'claimed=me' },
  { id: 'critical-overdue', name: 'Critical & overdue', query: 'severity=critical&due=<now' },
  { id: 'snoozed', name: 'Snoozed', query: 'status=snoozed' },
  { id: 'ended-today', name: 'Ended today', query: 'status=ended&closed=today&sort=closed' },
]

const addressShape = findingFilterShape
  .extend({ sort: findingSortShape.optional(), group: z.string().max(40).optional(), columns: z.string().max(200).optional() })
  .strict()

/** The address of a view as it is kept: names it knows, in one order, so that equal views are equal texts. */
export function toViewAddress(address: string): string {
  const given = new URLSearchParams(address.replace(/^\?/, ''))
  const asked = Object.fromEntries([...given].filter(([, value]) => value !== ''))
  const parsed = addressShape.safeParse(asked)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new AppError('invalid_input', `These filters cannot be kept. ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim())
  }
  return Object.keys(addressShape.shape)
    .filter((name) => asked[name] !== undefined)
    .map((name) => `${name}=${asked[name]}`)
    .join('&')
}
