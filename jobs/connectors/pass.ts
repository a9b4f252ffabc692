import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { CheckResult, PollBudget, PollContext, StreamSpec } from './connector.ts'
import { ToolError } from './connector.ts'
import type { ToolResponse } from './http.ts'

/** One reading of a stream from its first page to its last, as it stands in the cursor. */
export const passSchema = z.object({
  /** The tool's clock when the first page was asked for: what this pass covers to. Epoch ms. */
  startedAt: z.number(),
  /** Everything changed from here on is read; null: everything. */
  from: z.number().nullable(),
  sweep: z.string().nullable(),
  /** Rows of this pass that were read, and rows that were set aside because they did not fit. */
  read: z.int(),
  setAside: z.int(),
  pages: z.int(),
  /** Brent's cycle search over the fingerprints of the pages: one remembered page, moved at powers of two. */
  mark: z.string(),
  power: z.int(),
  left: z.int(),
})
export type Pass = z.infer<typeof passSchema>

export function beginPass(ctx: PollContext, first: ToolResponse, from: number | null, budget: PollBudget): Pass {
  const startedAt = first.toolTime ?? ctx.now
  return {
    startedAt,
    from,
    sweep: budget.mode === 'full' ? `sweep-${startedAt}` : null,
    read: 0,
    setAside: 0,
    pages: 0,
    mark: '',
    power: 1,
    left: 1,
  }
}

/** Counts a page. @throws ToolError stuck_cursor when a page comes back, when an empty page promises more, or past the bound. */
export function turnPage(ctx: PollContext, stream: string, pass: Pass, ids: readonly string[], hasMore: boolean, budget: PollBudget): Pass {
  const stuck = (what: string) =>
    new ToolError(
      'stuck_cursor',
      `Connection ${ctx.connection}: ${stream} ${what}. The pass stopped at page ${pass.pages + 1}; what was read is kept, the watermark did not move.`,
    )
  const pages = pass.pages + 1
  if (!hasMore) return { ...pass, pages }
  if (ids.length === 0) throw stuck('promised more after an empty page')
  const print = createHash('sha256').update(ids.join('\0')).digest('hex').slice(0, 16)
  if (print === pass.mark) throw stuck('served the same page again')
  if (pages >= (budget.maxPages ?? 100_000)) throw stuck(`did not end within ${pages} pages`)
  if (pass.left > 1) return { ...pass, pages, left: pass.left - 1 }
  return { ...pass, pages, mark: print, power: pass.power * 2, left: pass.power * 2 }
}

/**
 * Where to go on in a list sorted by change time, oldest first. Rows that change meanwhile move to its end and shift what follows, so an
 * offset would skip rows: the next page starts at the last change time seen, and only rows of one equal time are passed by offset.
 */
export function nextByChange(
  position: { readonly changedAfter: number | null; readonly skip: number },
  page: { readonly first: number | null; readonly last: number | null },
  rows: number,
): { changedAfter: number | null; skip: number } {
  const { first, last } = page
  const moved = first !== null && last !== null && last - 1 > Math.max(first, position.changedAfter ?? first)
  return moved ? { changedAfter: last - 1, skip: 0 } : { changedAfter: position.changedAfter, skip: position.skip + rows }
}

/** The times of a page sorted as asked; none where the tool sorted otherwise, so that its pages are walked by offset or link instead. */
export function ascending(times: readonly number[]): readonly number[] {
  return times.every((time, index) => index === 0 || time >= (times[index - 1] as number)) ? times : []
}

export function countRows(pass: Pass, taken: { readonly records: readonly unknown[]; readonly quarantined: readonly unknown[] }): Pass {
  return { ...pass, read: pass.read + taken.records.length, setAside: pass.setAside + taken.quarantined.length }
}

/**
 * What the pass has read. Where rows were set aside it claims nothing new: what they would have shown must not look missing. They go on
 * standing when later passes no longer meet them (`holdToStanding`).
 */
export function coverageOf(pass: Pass, complete: boolean, to = pass.startedAt): { from: number | null; to: number; complete: boolean } {
  return { from: pass.from, to: Math.min(pass.setAside > 0 ? (pass.from ?? 0) : to, pass.startedAt), complete }
}

/** Ids seen, for deletions. A sweep that set rows aside names none: they would look deleted. */
export function sweepOf(pass: Pass, lastPage: boolean): { sweep?: { id: string; lastPage: boolean } } {
  return pass.sweep === null || pass.setAside > 0 ? {} : { sweep: { id: pass.sweep, lastPage } }
}

/** The list around the records. @throws ToolError bad_response when the answer is something else. */
export function readEnvelope<T>(ctx: PollContext, schema: z.ZodType<T>, json: unknown, what: string): T {
  const result = schema.safeParse(json)
  if (result.success) return result.data
  throw new ToolError(
    'bad_response',
    `Connection ${ctx.connection}: reading ${what}, the tool answered JSON of another shape than its list. Nothing was taken from it.`,
  )
}

/** The cursor we stored, or null when it is not one of ours: then the stream is read from the start. */
export function readCursor<T>(schema: z.ZodType<T>, cursor: unknown): T | null {
  const result = schema.safeParse(cursor)
  return result.success ? result.data : null
}

export function streamNamed(streams: readonly StreamSpec[], name: string, ctx: PollContext): StreamSpec {
  const spec = streams.find((one) => one.name === name)
  if (spec) return spec
  throw new ToolError(
    'not_found',
    `Connection ${ctx.connection} has no stream ${JSON.stringify(name)}. It has ${streams.map((one) => one.name).join(', ')}.`,
  )
}

/** Asks the tool once per stream. Never throws. */
export async function checkStreams(
  ctx: PollContext,
  reads: readonly { readonly stream: string; readonly read: () => Promise<ToolResponse> }[],
): Promise<CheckResult> {
  const streams: { name: string; ok: boolean; message: string }[] = []
  let clockSkewMs: number | null = null
  let last: ToolError | null = null
  for (const { stream, read } of reads) {
    try {
      const response = await read()
      clockSkewMs = response.dateSkewMs
      streams.push({ name: stream, ok: true, message: 'can be read' })
    } catch (error) {
      last = error instanceof ToolError ? error : new ToolError('network', `Connection ${ctx.connection}: ${stream} could not be read.`)
      streams.push({ name: stream, ok: false, message: last.message })
    }
  }
  if (last && !streams.some((one) => one.ok)) return { ok: false, reason: last.reason, message: last.message }
  return { ok: true, streams, clockSkewMs }
}
