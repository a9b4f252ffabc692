import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Connector, Drift, PollPage, Quarantined, ReadRecord, Standing } from './connector.ts'
import { uniqueDrift } from './record.ts'

/** What stands set aside in a stream, beside the connector's own cursor: a cursor of null reads everything again, so both begin anew together. */
const asideSchema = z.object({
  rows: z.array(z.object({ where: z.string(), reason: z.string(), rawHash: z.string() })),
  /** Beyond those that are listed; only a reading of everything can tell that they are gone. */
  more: z.int(),
  drift: z.array(z.object({ path: z.string(), what: z.enum(['missing', 'new', 'type', 'value']) })),
})
type Aside = z.infer<typeof asideSchema>
const keptSchema = z.looseObject({ aside: asideSchema })

const nothing: Aside = { rows: [], more: 0, drift: [] }
/** A cursor is at most 64 kB. */
const listedAtMost = 150
const driftAtMost = 60
const reasonAtMost = 120

/**
 * The connector, held to the rule that not having read is never "did not happen": while a record of a stream stands set aside, whatever the
 * stream does not show may be that very record, so its watermark stays where it was. It stands until it is read well, until a reading of
 * everything no longer meets it, or until a person accepts it. A state nobody knows is as good as unread: the record is kept, and counts
 * as set aside. Connectors that know their standing themselves (file drop) are left alone.
 */
export function holdToStanding(connector: Connector, isAccepted: (stream: string, rawHash: string) => boolean): Connector {
  const specsOf = (config: unknown) => connector.streams?.(config) ?? connector.describe().streams
  return {
    ...connector,
    poll: async (ctx, stream, rawCursor, budget) => {
      const { aside: kept, own } = readKept(rawCursor)
      const page = await connector.poll(ctx, stream, own, budget)
      if (page.standing !== undefined) return page
      const statuses = specsOf(ctx.config).find((spec) => spec.name === stream)?.statuses ?? null
      const unknown = page.records.filter((record) => isUnknown(record, statuses)).map(quarantineOf)
      const quarantined = [...page.quarantined, ...unknown]
      const aside = carryOn(kept, { ...page, quarantined }, (hash) => isAccepted(stream, hash))
      const address = `${ctx.connection}.${stream}`
      const isHeld = aside.rows.length + aside.more > 0
      const { coverage } = page
      const tells = coverage.complete && (budget.mode === 'full' || isHeld || kept.rows.length + kept.more > 0)
      return {
        ...page,
        quarantined,
        cursor: writeKept(page.cursor, aside),
        coverage: coverage.complete && isHeld ? { ...coverage, to: 0 } : coverage,
        ...(tells ? { standing: standingOf(address, aside) } : {}),
      }
    },
  }
}

function carryOn(kept: Aside, page: PollPage, isAccepted: (rawHash: string) => boolean): Aside {
  const met = new Set([...page.records.map((record) => record.externalId), ...page.quarantined.map((row) => row.where)])
  const fresh = page.quarantined.map(({ where, reason, rawHash }) => ({ where, reason: reason.slice(0, reasonAtMost), rawHash }))
  const rows = [...kept.rows.filter((row) => !met.has(row.where)), ...fresh].filter((row) => !isAccepted(row.rawHash))
  return {
    rows: rows.slice(0, listedAtMost),
    more: kept.more + Math.max(0, rows.length - listedAtMost),
    drift: [...uniqueDrift([...kept.drift, ...page.drift])].slice(0, driftAtMost),
  }
}

function standingOf(address: string, { rows, more, drift }: Aside): Standing {
  const [first] = rows
  const count = rows.length + more
  return {
    setAside: { count, first: first === undefined ? null : { where: first.where, reason: first.reason } },
    withheld: count === 0 ? null : inWords(address, count, first),
    drift: drift as readonly Drift[],
  }
}

/** Which rows stand set aside by what is kept with a cursor, as raw hashes; null: the connector keeps that itself, or more stand than are listed. */
export function standingIn(cursor: unknown): ReadonlySet<string> | null {
  const kept = keptSchema.safeParse(cursor)
  if (!kept.success || kept.data.aside.more > 0) return null
  return new Set(kept.data.aside.rows.map((row) => row.rawHash))
}

function inWords(address: string, count: number, first: { readonly where: string; readonly reason: string } | undefined): string {
  const shown = first === undefined ? '' : ` (${count === 1 ? '' : 'the first: '}${first.where}: ${first.reason})`
  const [what, it] = count === 1 ? [`1 record of ${address} was`, 'it'] : [`${count} records of ${address} were`, 'they']
  return `${what} set aside${shown}; steps that only ${it} could show are unknown: mend ${count === 1 ? 'it' : 'them'} in the tool, or accept ${count === 1 ? 'it' : 'them'} on the page of the connection.`
}

const isUnknown = ({ status, deleted }: ReadRecord, statuses: readonly string[] | null) =>
  statuses !== null &&
  deleted !== true &&
  status !== null &&
  (status.startsWith('unknown:') || (status === 'unknown' && !statuses.includes(status)))

/** The same record in the same state has the same hash, so that an acceptance holds. */
function quarantineOf({ externalId, status }: ReadRecord): Quarantined {
  const state = status?.startsWith('unknown:') ? ` ${status.slice('unknown:'.length)}` : ''
  return {
    rawHash: createHash('sha256')
      .update(`status\0${externalId}\0${status ?? ''}`)
      .digest('hex'),
    where: externalId,
    reason: `its state${state} is not one that is known`,
  }
}

function readKept(cursor: unknown): { readonly aside: Aside; readonly own: unknown } {
  const kept = keptSchema.safeParse(cursor)
  if (!kept.success) return { aside: nothing, own: cursor }
  const { aside, ...own } = kept.data
  return { aside, own: 'bare' in own ? own.bare : own }
}

function writeKept(cursor: unknown, aside: Aside): unknown {
  if (aside.rows.length + aside.more + aside.drift.length === 0) return cursor
  const isBlock = typeof cursor === 'object' && cursor !== null && !Array.isArray(cursor)
  return isBlock ? { ...cursor, aside } : { bare: cursor, aside }
}
