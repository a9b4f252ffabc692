import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** One million events over six tools and 100 thousand people, as CSV exports with a configuration beside them. Deterministic. */
export interface CareFiles {
  readonly directory: string
  readonly people: number
  readonly rows: number
  readonly now: string
}

const start = Date.parse('2026-01-01T08:00:00Z')
const minute = 60_000

/** Which tool knows a person by what: e-mail and phone meet in booking and intake, so identities are chained across tools. */
const tools = {
  billing: { id: 'payment', columns: 'id,at,status,email,order_id', by: ['email'] },
  booking: { id: 'booking', columns: 'id,at,status,email,phone,appointment', by: ['email', 'phone'] },
  texts: { id: 'message', columns: 'id,at,status,phone,template,appointment', by: ['phone'] },
  intake: { id: 'form', columns: 'id,at,status,email,phone', by: ['email', 'phone'] },
  ehr: { id: 'encounter', columns: 'id,at,status,patient,email,appointment', by: ['patient', 'email'] },
  crm: { id: 'ticket', columns: 'id,at,status,email', by: ['email'] },
} as const

/** A small repeatable generator (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

export async function writeCareFiles(directory: string, people: number): Promise<CareFiles> {
  await mkdir(join(directory, 'programs'), { recursive: true })
  const random = randomOf(7)
  const outs = Object.fromEntries(Object.keys(tools).map((tool) => [tool, createWriteStream(join(directory, `${tool}.csv`))]))
  const counts = Object.fromEntries(Object.keys(tools).map((tool) => [tool, 0]))
  for (const [tool, { columns }] of Object.entries(tools)) outs[tool]?.write(`${columns}\n`)
  let rows = 0
  const buffers = new Map<string, string[]>(Object.keys(tools).map((tool) => [tool, []]))
  const put = (tool: keyof typeof tools, at: number, ...cells: string[]): void => {
    const n = (counts[tool] = (counts[tool] ?? 0) + 1)
    const buffer = buffers.get(tool)
    buffer?.push(`${tools[tool].id}-${n},${new Date(at).toISOString()},${cells.join(',')}`)
    rows++
    if (buffer !== undefined && buffer.length >= 5_000) {
      outs[tool]?.write(`${buffer.join('\n')}\n`)
      buffer.length = 0
    }
  }
  for (let person = 0; person < people; person++) {
    const email = `person${person}@example.org`
    const phone = `+1${212 + (person % 7)}${String(5_550_000 + Math.floor(person / 7))
      .padStart(7, '0')
      .slice(0, 7)}`
    const paid = start + Math.floor(person * 3 * minute) / 10
    put('billing', paid, 'succeeded', email, `order-${person}`)
    if (random() < 0.02) put('billing', paid + 2 * minute, 'succeeded', email, `order-${person}`)
    put('crm', paid + minute, 'opened', email)
    if (random() > 0.03) put('intake', paid + 30 * minute, 'completed', email, phone)
    const appointments = 1 + (person % 2)
    for (let visit = 0; visit < appointments; visit++) {
      const appointment = `a${person}-${visit}`
      const booked = paid + (60 + visit * 10_000) * minute
      put('booking', booked, 'accepted', email, phone, appointment)
      if (random() > 0.01) put('texts', booked + (random() < 0.02 ? 40 : 3) * minute, 'delivered', phone, 'confirmation', appointment)
      put('texts', booked + 1_000 * minute, 'delivered', phone, 'reminder', appointment)
      put('ehr', booked + 2_000 * minute, 'arrived', `pat-${person}`, email, appointment)
      put('ehr', booked + 2_030 * minute, 'finished', `pat-${person}`, email, appointment)
    }
    put('texts', paid + 20_000 * minute, 'delivered', phone, 'follow-up', '')
  }
  for (const [tool, buffer] of buffers) if (buffer.length > 0) outs[tool]?.write(`${buffer.join('\n')}\n`)
  await Promise.all(Object.values(outs).map((out) => new Promise<void>((resolve) => out.end(() => resolve()))))
  await writeFile(join(directory, 'owners.yaml'), 'owners: { care: { title: Care } }\ndefault: care\n')
  await writeFile(join(directory, 'connections.yaml'), connections())
  await writeFile(join(directory, 'programs/care.yaml'), program)
  return { directory, people, rows, now: '2027-06-01T00:00:00Z' }
}

function connections(): string {
  const subject = { email: 'email: email', phone: 'phone: phone', patient: 'external: { column: patient, system: ehr.patient }' }
  const blocks = Object.entries(tools).map(([tool, { columns, by }]) => {
    const objects = [
      columns.includes('appointment') ? 'appointment: appointment' : '',
      columns.includes('order_id') ? 'order: order_id' : '',
    ].filter(Boolean)
    return `  ${tool}:
    connector: file-drop
    config:
      files:
        - stream: rows
          path: ${tool}.csv
          id: id
          time: at
          event: changed
          status: status
${objects.length > 0 ? `          objects: { ${objects.join(', ')} }\n` : ''}${columns.includes('template') ? '          fields: { template: text }\n' : ''}          subject: { ${by.map((key) => subject[key]).join(', ')} }
`
  })
  return `workspace: { title: Bench, time_zone: UTC, default_country: US }\nconnections:\n${blocks.join('')}`
}

const program = `program: care
title: Care
owner: care
journey: { per: subject, starts: paid, abandon_after: 365d }
steps:
  paid:       { stream: billing.rows, when: { status: succeeded } }
  intake:     { stream: intake.rows, when: { status: completed } }
  booked:     { stream: booking.rows, when: { status: accepted } }
  confirmed:  { stream: texts.rows, where: { template: confirmation }, when: { status: delivered } }
  seen:       { stream: ehr.rows, when: { status: finished } }
expectations:
  booking-confirmed: { after: booked, expect: confirmed, within: 15m, per: appointment }
  one-charge:        { at_most: 1, of: paid, per: order, window: 24h }
  intake-first:      { first: intake, then: seen }
  seen-in-time:      { after: paid, expect: seen, within: 30d }
`
