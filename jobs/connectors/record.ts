import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Drift, Quarantined, ReadRecord, StreamSpec } from './connector.ts'
import { rawBytes, unreadable } from './json.ts'

const isSound = (value: string) => value.isWellFormed() && !value.includes('\u0000')

/** Text as a tool gives it: lone surrogates and U+0000 quarantine the record, everything else is kept as it is. */
export const text = z.string().refine(isSound, { error: 'unsound' })
export const textOrNull = text.nullable()
/** An id, kept exact: a number beyond 2^53 arrives as its source text. */
export const id = z.union([text.min(1), z.int().transform(String)])
export const isoTime = text.transform((value, context) => {
  const at = parseTime(value)
  if (at !== null) return at
  context.addIssue({ code: 'custom', message: 'not a time' })
  return z.NEVER
})
export const unixTime = z.int().transform((seconds) => seconds * 1000)

/** An ISO 8601 or RFC 2822 time that names its zone, as epoch ms; null for anything else, partial dates included. */
export function parseTime(value: string): number | null {
  if (!/T\d{2}:\d{2}.*(?:Z|[+-]\d{2}:?\d{2})$|^[A-Z][a-z]{2}, \d/.test(value)) return null
  const at = Date.parse(value)
  return Number.isNaN(at) ? null : at
}

export type Reading<T> =
  | { readonly ok: true; readonly value: T; readonly drift: readonly Drift[] }
  | { readonly ok: false; readonly quarantined: Quarantined; readonly drift: readonly Drift[] }

/** Reads one record at the door. One that does not fit is quarantined by its raw hash; the drift names paths, never values. */
export function readRecord<T>(
  schema: z.ZodType<T>,
  raw: unknown,
  fields: StreamSpec['fields'],
  place: { readonly id: string; readonly index: number },
): Reading<T> {
  const drift = newPaths(raw, knownPaths(fields))
  const result = schema.safeParse(raw)
  if (result.success) return { ok: true, value: result.data, drift }
  const reasons: string[] = []
  for (const issue of deepest(result.error.issues)) {
    const path = pathName(issue.path)
    const value = valueAt(raw, issue.path)
    if (value === unreadable || (typeof value === 'string' && !isSound(value))) reasons.push(`${path} is not readable text`)
    else {
      const what = value === undefined ? 'missing' : 'type'
      drift.push({ path, what })
      reasons.push(what === 'missing' ? `${path} is missing` : `${path} has another type`)
    }
  }
  return {
    ok: false,
    quarantined: { rawHash: rawHash(raw), where: whereOf(raw, place), reason: [...new Set(reasons)].slice(0, 5).join('; ') },
    drift,
  }
}

export interface Taken {
  readonly records: readonly ReadRecord[]
  readonly quarantined: readonly Quarantined[]
  readonly drift: readonly Drift[]
}

/** Every row of a page through its schema and its map; what does not fit is set aside, the rest goes on. `idPath` names the row in messages. */
export function takeRows<T>(
  spec: StreamSpec,
  schema: z.ZodType<T>,
  idPath: string,
  rows: readonly unknown[],
  map: (value: T, index: number) => { readonly record: ReadRecord; readonly drift: readonly Drift[] },
): Taken {
  const records: ReadRecord[] = []
  const quarantined: Quarantined[] = []
  const drift: Drift[] = []
  for (const [index, row] of rows.entries()) {
    const reading = readRecord(schema, row, spec.fields, { id: idPath, index })
    drift.push(...reading.drift)
    if (!reading.ok) {
      quarantined.push(reading.quarantined)
      continue
    }
    const mapped = map(reading.value, index)
    drift.push(...mapped.drift)
    records.push(mapped.record)
  }
  return { records, quarantined, drift: uniqueDrift(drift) }
}

/** A state we know, or `unknown:<raw>` with its drift. */
export function knownStatus(raw: string, statuses: readonly string[] | null, path: string): { status: string; drift: readonly Drift[] } {
  if (statuses === null || statuses.includes(raw)) return { status: raw, drift: [] }
  return { status: /^[\w.-]{1,40}$/.test(raw) ? `unknown:${raw}` : 'unknown', drift: [{ path, what: 'value' }] }
}

/**
 * A version for tools whose times are whole seconds: of two readings with the same time the one further on in `order` is the later.
 * Compared as text by the engine.
 */
export function versionByProgress(status: string, order: readonly string[], more = 0): string {
  return `${String(order.indexOf(status) + 1).padStart(2, '0')}.${String(more).padStart(12, '0')}`
}

export function uniqueDrift(drift: readonly Drift[]): readonly Drift[] {
  return [...new Map(drift.map((one) => [`${one.what} ${one.path}`, one])).values()]
}

type Issue = { readonly path: readonly PropertyKey[]; readonly code: string; readonly errors?: readonly (readonly Issue[])[] }

/** A union reports at its own path; the branch that came furthest says where it really failed. */
function deepest(issues: readonly Issue[]): readonly { path: readonly PropertyKey[] }[] {
  return issues.flatMap((issue) => {
    const branches = (issue.errors ?? []).map((branch) => deepest(branch)).filter((branch) => branch.some((inner) => inner.path.length > 0))
    const best = branches.sort((a, b) => a.length - b.length)[0]
    return best ? best.map((inner) => ({ path: [...issue.path, ...inner.path] })) : [{ path: issue.path }]
  })
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    raw,
  )
}

function pathName(path: readonly PropertyKey[]): string {
  return (
    path
      .map((key) => (typeof key === 'number' ? '[]' : `.${safeKey(String(key))}`))
      .join('')
      .replace(/^\./, '') || '(record)'
  )
}

function rawHash(raw: unknown): string {
  const bytes = rawBytes(raw) ?? Buffer.from(JSON.stringify(raw) ?? 'undefined')
  return createHash('sha256').update(bytes).digest('hex')
}

function whereOf(raw: unknown, place: { readonly id: string; readonly index: number }): string {
  const value = valueAt(raw, place.id.split('.'))
  return (typeof value === 'string' || typeof value === 'number') && /^[\w:.-]{1,80}$/.test(String(value))
    ? String(value)
    : `item ${place.index + 1} of its page`
}

const safeKey = (key: string) => (/^[A-Za-z_$][\w$-]{0,60}$/.test(key) ? key : '(odd key)')

interface KnownPaths {
  readonly named: ReadonlySet<string>
  readonly parents: ReadonlySet<string>
}
const compiled = new WeakMap<StreamSpec['fields'], KnownPaths>()

function knownPaths(fields: StreamSpec['fields']): KnownPaths {
  const before = compiled.get(fields)
  if (before) return before
  const named = new Set<string>()
  const parents = new Set<string>()
  for (const path of [...fields.keys, ...fields.ops, ...fields.dropped]) {
    const parts = path.split('.')
    for (let n = 1; n <= parts.length; n++) {
      named.add(parts.slice(0, n).join('.'))
      named.add(parts.slice(0, n).join('.').replace(/\[\]$/, ''))
      if (n < parts.length) parents.add(parts.slice(0, n).join('.'))
    }
  }
  const known = { named, parents }
  compiled.set(fields, known)
  return known
}

/** Keys nobody named, below every object we read into; `x.*` in the map names all of x. */
function newPaths(value: unknown, known: KnownPaths, prefix = '', all = false): Drift[] {
  if (Array.isArray(value)) return value.flatMap((item) => newPaths(item, known, `${prefix}[]`, all))
  if (typeof value !== 'object' || value === null || (prefix && !known.parents.has(prefix))) return []
  const rest = all || known.named.has(prefix ? `${prefix}.*` : '*')
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = prefix ? `${prefix}.${key}` : key
    if (known.named.has(path)) return newPaths(inner, known, path, rest)
    return rest
      ? []
      : [
          {
            path: path
              .split('.')
              .map((part) => (part.endsWith('[]') ? part : safeKey(part)))
              .join('.'),
            what: 'new' as const,
          },
        ]
  })
}
