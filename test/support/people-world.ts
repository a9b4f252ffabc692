import type { ToolRow } from './paged-tool.ts'

export const peopleTools = ['booking', 'texts', 'billing', 'crm'] as const
export type PeopleTool = (typeof peopleTools)[number]

const start = Date.parse('2026-03-02T09:00:00Z')
const given = ['Ann', 'Bob', 'Cid', 'Dee', 'Eve', 'Fay', 'Gus']

/** People known to four tools by different halves of their keys; every third household shares a telephone, and many a front desk's. */
export function peopleRows(count: number): Record<PeopleTool, ToolRow[]> {
  const rows: Record<PeopleTool, ToolRow[]> = { booking: [], texts: [], billing: [], crm: [] }
  for (let n = 0; n < count; n++) {
    const at = start + (n % 50_000) * 1000
    const name = { given: given[n % given.length] ?? 'Ann', family: `Fam${n % 997}` }
    const email = `p${n}@example.org`
    const phone =
      n % 50 === 0
        ? '+12124440100'
        : `+1${600 + (Math.floor(n / 1_000_000) % 100)}${String(2_000_000 + (n % 9 < 2 ? n - (n % 9) : n)).padStart(7, '0')}`
    const mixed = (n * 7_919) % 10
    rows.booking.push({ id: `b${n}`, updatedAt: at, at, status: 'accepted', email, ...name })
    if (mixed < 3) rows.booking.push({ id: `s${n}`, updatedAt: at + 3_600_000, at: at + 3_600_000, status: 'seen', email, ...name })
    if (mixed !== 4)
      rows.texts.push({
        id: `m${n}`,
        updatedAt: at + 600_000,
        at: at + (mixed === 5 ? 3_000_000 : 600_000),
        status: 'delivered',
        phone,
        given: name.given,
        family: name.family,
      })
    if (mixed === 6) rows.texts.push({ id: `m${n}.2`, updatedAt: at + 700_000, at: at + 700_000, status: 'delivered', phone })
    if (mixed > 2) rows.billing.push({ id: `c${n}`, updatedAt: at, at, status: 'paid', email })
    rows.crm.push({ id: `k${n}`, updatedAt: at + ((n * 104_729) % 86_400) * 1000, at, status: 'customer', email, phone, ...name })
  }
  return rows
}

export const peopleNow = start + 3 * 86_400_000
