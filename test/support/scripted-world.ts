import type { PersonClaim, ReadEvent, ReadRecord } from '../../jobs/connectors/connector.ts'
import type { ObjectRef, Ops } from '../../jobs/domain/facts.ts'
import { seal } from '../../jobs/domain/plain.ts'
import { type Random, randomFrom } from '../../jobs/simulator/random.ts'

export type WorldTool = 'booking' | 'texts' | 'billing'
export const worldTools: readonly WorldTool[] = ['booking', 'texts', 'billing']

/** Everything three tools ever show of some people, as the versions they show it in. A version is visible from its `updatedAt` on. */
export interface ScriptedWorld {
  readonly startAt: number
  readonly endAt: number
  readonly versions: Readonly<Record<WorldTool, readonly ReadRecord[]>>
}

export const worldProgram = `
program: visits
title: Visits
owner: care
journey: { per: subject, starts: booked, ends: seen, abandon_after: 20d }
steps:
  booked:    { stream: booking.rows, when: { status: accepted }, undone_when: { status: cancelled } }
  cancelled: { stream: booking.rows, when: { status: cancelled } }
  seen:      { stream: booking.rows, when: { status: seen } }
  confirmed: { stream: texts.rows, where: { template: confirmation }, when: { status: delivered }, undone_when: { status: undelivered } }
  paid:      { stream: billing.rows, when: { status: paid }, undone_when: { status: refunded } }
expectations:
  booking-confirmed: { after: booked, expect: confirmed, within: 15m, per: appointment, severity: high }
  booking-paid:      { after: booked, expect: paid, within: 1d }
  one-confirmation:  { at_most: 1, of: confirmed, per: appointment, window: 24h }
  one-payment:       { at_most: 1, of: paid, window: 48h }
  paid-first:        { first: paid, then: seen, per: appointment }
  no-text-after:     { never: confirmed, after: cancelled, per: appointment }
  tools-agree:
    agree:
      booking.rows.status: { accepted: on, cancelled: off, seen: on }
      billing.rows.booked: { yes: on, no: off }
    per: appointment
    pick: latest
    authority: booking.rows.status
    settle: 30m
`

const given = 'Ada Bela Cora Dario Elin Faris Gala Hugo Ines Jovan Kira Lior Mira Nilo Oda Pavel'.split(' ')
const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

interface Change {
  readonly at: number
  readonly status: string
  readonly ops?: Ops
}

/** A record's life as the versions a tool shows: cumulative events or the newest only; now and then restated, now and then within one second. */
function toVersions(
  random: Random,
  id: string,
  changes: readonly Change[],
  about: (version: number) => { readonly claim: PersonClaim | null; readonly objects: readonly ObjectRef[] },
): ReadRecord[] {
  const cumulative = random.chance(0.6)
  const hasVersions = random.chance(0.5)
  const toEvent = ({ at, status, ops }: Change, n: number): ReadEvent => ({
    type: n === 0 ? 'created' : status,
    occurredAt: at,
    status,
    ops: ops ?? null,
    actor: { kind: n % 2 === 0 ? 'person' : 'automation', id: null },
  })
  const events = changes.map(toEvent)
  const versions: ReadRecord[] = []
  const push = (upTo: number, updatedAt: number, restated?: ReadEvent) => {
    const change = changes[upTo]
    if (change === undefined) return
    const { claim, objects } = about(versions.length)
    const own = cumulative ? events.slice(0, upTo + 1) : events.slice(upTo, upTo + 1)
    versions.push({
      externalId: id,
      updatedAt,
      version: hasVersions ? String(versions.length).padStart(3, '0') : null,
      status: change.status,
      ops: change.ops ?? {},
      objects,
      person: claim === null ? null : seal(claim),
      events: restated === undefined ? own : [restated, ...own.filter((event) => event.type !== restated.type)],
    })
  }
  changes.forEach((change, n) => {
    push(n, change.at + (random.chance(0.2) ? random.int(1, 40) * minute : 0))
    const first = events[0]
    if (first !== undefined && random.chance(0.3)) {
      // The tool changes its mind about what happened, and back again: the newest statement stands whatever the order.
      const later = (versions.at(-1)?.updatedAt ?? change.at) + random.int(0, 3) * minute
      push(n, later, { ...first, status: random.pick(['pending', 'accepted', 'delivered', 'paid', 'cancelled']) })
      if (random.chance(0.6)) push(n, later + random.int(0, 2) * minute, first)
    }
  })
  return versions
}

/** People who are first known by half of their keys, share telephones, book, cancel, are texted and pay; times to the second. */
export function generateWorld(seed: number, people: number): ScriptedWorld {
  const random = randomFrom(seed, 'scripted-world')
  const startAt = Date.parse('2026-03-02T09:00:00Z')
  const versions: Record<WorldTool, ReadRecord[]> = { booking: [], texts: [], billing: [] }
  const spread = 10 * day
  const frontDesk = '+12124440100'
  for (let n = 0; n < people; n++) {
    const name = { given: given[n % given.length] ?? '', family: `Fam${random.int(0, 5)}` }
    const email = `p${n}@example.org`
    const household = Math.floor(n / 3)
    const phone = random.chance(0.3) ? frontDesk : random.chance(0.3) ? `+1415444${1000 + household}` : `+1617444${1000 + n}`
    const arrivesAt = startAt + Math.floor((random.next() * spread) / second) * second
    const linksLate = random.chance(0.5)
    for (let visit = random.int(1, 3); visit > 0; visit--) {
      const bookedAt = arrivesAt + random.int(0, 2 * 24 * 60) * minute
      const id = `b${n}.${visit}`
      const root = random.chance(0.2) && visit > 1 ? `b${n}.${visit - 1}` : undefined
      const appointment: ObjectRef = { type: 'appointment', id, ...(root === undefined ? {} : { root }) }
      const changes: Change[] = [{ at: bookedAt, status: 'accepted' }]
      if (random.chance(0.25)) changes.push({ at: bookedAt + random.int(1, 600) * minute, status: 'cancelled' })
      else if (random.chance(0.6)) changes.push({ at: bookedAt + random.int(60, 3000) * minute, status: 'seen' })
      versions.booking.push(
        ...toVersions(random, id, changes, (version) => ({
          claim: {
            role: 'self',
            emails: [email],
            phones: [linksLate && version === 0 ? null : phone],
            name: random.chance(0.1) ? null : name,
          },
          objects: [appointment],
        })),
      )
      for (let text = random.int(0, 2); text > 0; text--) {
        const sentAt = bookedAt + random.int(0, random.chance(0.7) ? 14 : 300) * minute
        const textChanges: Change[] = [
          { at: sentAt, status: 'delivered', ops: { template: random.chance(0.9) ? 'confirmation' : 'other', a: visit, bb: text } },
        ]
        if (random.chance(0.15))
          textChanges.push({ at: sentAt + random.int(1, 20) * minute, status: 'undelivered', ops: { template: 'confirmation' } })
        const names = random.chance(0.5)
        versions.texts.push(
          ...toVersions(random, `m${n}.${visit}.${text}`, textChanges, () => ({
            claim: { role: 'contact', phones: [phone] },
            objects: names ? [{ type: 'appointment', id }] : [],
          })),
        )
      }
      for (let payment = random.chance(0.75) ? random.int(1, random.chance(0.2) ? 2 : 1) : 0; payment > 0; payment--) {
        const paidAt = bookedAt + random.int(-60, 2000) * minute
        const booked = random.chance(0.85) === (changes.at(-1)?.status !== 'cancelled') ? 'yes' : 'no'
        const paymentChanges: Change[] = [{ at: paidAt, status: 'paid', ops: { booked: 'yes' } }]
        if (random.chance(0.4))
          paymentChanges.push({ at: Math.max(paidAt, bookedAt) + random.int(1, 900) * minute, status: 'paid', ops: { booked } })
        if (random.chance(0.15))
          paymentChanges.push({
            at: Math.max(paidAt, bookedAt) + random.int(901, 1500) * minute,
            status: 'refunded',
            ops: { booked: 'no' },
          })
        const gone = random.chance(0.08)
        const life = toVersions(random, `c${n}.${visit}.${payment}`, paymentChanges, () => ({
          claim: random.chance(0.9)
            ? { role: 'self', emails: [email], phones: random.chance(0.4) ? [phone] : [], name }
            : { role: 'payer', emails: [email] },
          objects: [{ type: 'appointment', id }],
        }))
        const last = life.at(-1)
        versions.billing.push(...life)
        if (gone && last !== undefined)
          versions.billing.push({
            ...last,
            updatedAt: last.updatedAt + 5 * minute,
            version: last.version === null ? null : '999',
            deleted: true,
            events: [],
          })
      }
    }
  }
  const endAt = startAt + spread + 9 * day
  for (const tool of worldTools) {
    versions[tool].sort((a, b) => a.updatedAt - b.updatedAt || (a.externalId < b.externalId ? -1 : a.externalId > b.externalId ? 1 : 0))
  }
  return { startAt, endAt, versions }
}
