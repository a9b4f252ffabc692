import { z } from 'zod'

/** What was read of a file: stamp, content hash and size then, its time, where the reading ended (offset, line, row), and 1 if in this pass. */
const knownFile = z.tuple([
  z.string(),
  z.string(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.union([z.literal(0), z.literal(1)]),
])
const cursorSchema = z.object({
  v: z.literal(1),
  /** Digest of the mapping: another mapping reads everything again. */
  mapping: z.string(),
  known: z.record(z.string(), knownFile),
  /** Latest time stated by any row so far. */
  newest: z.number().nullable(),
  pass: z.object({ startedAt: z.number(), restarts: z.number() }).nullable(),
  at: z
    .object({
      name: z.string(),
      stamp: z.string(),
      hash: z.string(),
      size: z.number(),
      mtimeMs: z.number(),
      offset: z.number(),
      line: z.number(),
      row: z.number(),
      good: z.number(),
      /** Only the unfinished last row is left, and the file rests: it is complete. */
      tail: z.boolean(),
    })
    .nullable(),
  /** By file: rows set aside in it as it stands, the first of them, and what was odd about its shape. */
  aside: z
    .record(
      z.string(),
      z.object({
        n: z.number(),
        first: z.object({ where: z.string(), reason: z.string() }).nullable(),
        drift: z.array(z.tuple([z.string(), z.enum(['missing', 'new', 'type', 'value'])])),
      }),
    )
    .default({}),
  /** Why the file `at` cannot be read; told again until the file or the mapping changes. */
  blocked: z.string().nullable(),
})
/** How far a stream's files were read; stored with each page. */
export type Cursor = z.output<typeof cursorSchema>
/** What is wrong with one file as it stands. */
export type Aside = Cursor['aside'][string]
/** The file being read, and where in it. */
export type Position = NonNullable<Cursor['at']>

/** The stored cursor, or a fresh one where there is none or it belongs to another mapping. */
export function openCursor(given: unknown, mapping: string): Cursor {
  const parsed = cursorSchema.safeParse(given)
  if (parsed.success && parsed.data.mapping === mapping) return parsed.data
  return { v: 1, mapping, known: {}, newest: null, pass: null, at: null, aside: {}, blocked: null }
}
