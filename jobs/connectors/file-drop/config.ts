import { z } from 'zod'
import { explainTimeFormat } from './read-time.ts'

/** The mapping of files to streams. Descriptions are also the "expected …" of error messages. */

const column = z.string().min(1)
const fieldName = /^[A-Za-z][A-Za-z0-9_]{0,62}$/
const fieldTypes = ['text', 'number', 'boolean', 'time'] as const

const timeSpec = z
  .union([
    column,
    z.strictObject({
      column,
      format: z.string().min(1).optional(),
      zone: z.string().min(1).optional(),
    }),
  ])
  .describe('a column, or { column: t, format: iso | epoch-s | epoch-ms | "dd/MM/yyyy HH:mm", zone: Europe/Rome }')

const fieldSpec = z
  .union([
    z.enum(fieldTypes),
    z.strictObject({ column: column.optional(), type: z.enum(fieldTypes), format: z.string().optional(), zone: z.string().optional() }),
  ])
  .describe(`a type (${fieldTypes.join(', ')}), or { column: "Column name", type: text }`)

const external = z.strictObject({ column, system: z.string().min(1).optional() })

const subject = z
  .strictObject({
    external: z
      .union([external, z.array(external)])
      .optional()
      .describe(
        '{ column: customer_id, system: customer }: a number of the person in that system; give files that share it the same system',
      ),
    reference: column.optional(),
    email: column.optional(),
    phone: column.optional(),
    given_name: column.optional(),
    family_name: column.optional(),
    full_name: column.optional(),
    birth_date: column.optional(),
    role: z.enum(['self', 'payer', 'contact']).optional().describe('self, payer or contact: how the person relates to the record'),
  })
  .describe(
    'the columns that say who it is about: { external, email, phone, given_name, family_name, full_name, birth_date }; they are hashed, never stored',
  )

const eventSpec = z
  .union([z.string().min(1), z.strictObject({ column })])
  .describe('a fixed event name such as paid, or { column: activity }')

const fileSpec = z
  .strictObject({
    stream: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,63}$/, { error: () => 'expected a stream name of letters, digits, `-` and `_`' })
      .describe('the name of the stream these rows belong to'),
    title: z.string().optional().describe('a short text for the console'),
    path: z.string().min(1).describe('a file, or a pattern such as exports/*.csv, relative to the folder of connections.yaml'),
    format: z.enum(['csv', 'ndjson']).optional().describe('csv or ndjson; without it the ending of the path decides'),
    delimiter: z
      .union([z.literal('tab'), z.string().length(1)])
      .optional()
      .describe('one character such as ";", or tab; without it the header line decides'),
    encoding: z.enum(['utf-8', 'windows-1252', 'iso-8859-15']).optional().describe('utf-8 (the default), windows-1252 or iso-8859-15'),
    columns: z.array(column).min(1).optional().describe('the column names in order, for a CSV file without a header line'),
    accept_broken_rows: z
      .int()
      .min(0)
      .optional()
      .describe('how many rows may be set aside while what is missing still counts as missing; without it none'),
    final: z.boolean().optional().describe('true: the export of a finished period; its journeys end'),
    watch: z.boolean().optional().describe('true: the file is still being written, or more files will come'),
    as_of: z
      .union([z.enum(['modified', 'now', 'newest_row']), z.iso.datetime({ offset: true })])
      .optional()
      .describe(
        'up to when the files are complete: modified (the time of the newest file), now, newest_row, or a time such as 2024-02-01T00:00:00Z',
      ),
    may_shrink: z.boolean().optional().describe('true: a new version of a file may have less than half of its size'),
    lag: z
      .string()
      .regex(/^\d{1,6}[smhd]$/, { error: () => 'expected a duration such as 15m or 2h' })
      .optional()
      .describe('how late rows may appear, such as 2h'),
    zone: z.string().optional().describe('the zone of all times of this file that state none, such as Europe/Rome'),
    id: z
      .union([column, z.array(column).min(1), z.null()])
      .optional()
      .describe('the column with the record id, or a list of columns that make it together'),
    time: timeSpec.optional(),
    updated: timeSpec.optional(),
    event: eventSpec.optional(),
    events: z
      .array(z.strictObject({ event: z.string().min(1), time: timeSpec, status: z.string().min(1).optional() }))
      .min(1)
      .optional()
      .describe('for rows with several time columns: a list of { event: paid, time: paid_at, status: paid }'),
    status: column.optional().describe('the column with the status'),
    subject: subject.optional(),
    objects: z
      .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/), z.union([column, z.strictObject({ column, root: column.optional() })]))
      .optional()
      .describe('the business things a row belongs to: { order: order_id }'),
    fields: z
      .record(
        z.string().regex(fieldName, {
          error: () => 'expected a field name of letters, digits and `_`; for another column name write name: { column: "…", type: text }',
        }),
        fieldSpec,
      )
      .optional()
      .describe('the fields to keep: { activity: text, amount: number }'),
    actor: z
      .union([
        z.enum(['person', 'automation', 'agent', 'unknown']),
        z.strictObject({ automation: column }),
        z.strictObject({ agent: column }),
      ])
      .optional()
      .describe('who causes the events: person, automation, agent, or { automation: <column with its id> }'),
  })
  .superRefine((file, context) => {
    const fail = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message })
    if ((file.time === undefined) === (file.events === undefined)) {
      fail(file.time === undefined ? [] : ['events'], 'expected either `time` (one time column) or `events` (a list of time columns)')
    }
    if (file.events !== undefined && file.event !== undefined) fail(['event'], 'expected no `event` beside `events`')
    if (formatOf(file) === null) fail(['path'], 'the ending of the path tells no format; add format: csv or format: ndjson')
    if (/\.(gz|zip|xlsx?|xls)$/i.test(file.path))
      fail(['path'], 'compressed files and spreadsheets are not read; expected CSV or NDJSON text')
    if (formatOf(file) === 'ndjson' && (file.delimiter !== undefined || file.columns !== undefined)) {
      fail([file.delimiter === undefined ? 'columns' : 'delimiter'], 'NDJSON has no delimiter and no header; remove this setting')
    }
    const times: [PropertyKey[], z.output<typeof timeSpec> | undefined][] = [
      [['time'], file.time],
      [['updated'], file.updated],
      ...(file.events ?? []).map((event, index): [PropertyKey[], z.output<typeof timeSpec>] => [['events', index, 'time'], event.time]),
    ]
    for (const [path, time] of times) {
      if (time === undefined) continue
      const spec: { readonly format?: string | undefined; readonly zone?: string | undefined } = typeof time === 'string' ? {} : time
      const wrong = explainTimeFormat(spec.format ?? 'iso', spec.zone ?? file.zone ?? null)
      if (wrong !== null) fail(path, wrong)
    }
    for (const [name, field] of Object.entries(file.fields ?? {})) {
      if (name === 'status') fail(['fields', name], 'status is not a field; name its column with `status: <column>`')
      if (typeof field === 'string') continue
      if (field.type !== 'time' && (field.format !== undefined || field.zone !== undefined))
        fail(['fields', name], 'format and zone are for fields of type time')
      const wrong = field.type === 'time' ? explainTimeFormat(field.format ?? 'iso', field.zone ?? file.zone ?? null) : null
      if (wrong !== null) fail(['fields', name], wrong)
    }
  })
  .describe('a file: { stream: payments, path: payments.csv, id: payment_id, time: paid_at, … }')

export const fileDropConfigSchema = z.strictObject({
  files: z.array(fileSpec).min(1).describe('a list of files, each mapped to a stream'),
  directory: z.string().optional().describe('the folder relative paths start from; set by Throughline to the folder of connections.yaml'),
})

export type FileDropConfig = z.output<typeof fileDropConfigSchema>
export type FileSpec = z.output<typeof fileSpec>
export type TimeSetting = z.output<typeof timeSpec>

export function formatOf(file: { readonly format?: 'csv' | 'ndjson' | undefined; readonly path: string }): 'csv' | 'ndjson' | null {
  if (file.format !== undefined) return file.format
  if (/\.(csv|tsv|txt)$/i.test(file.path)) return 'csv'
  return /\.(ndjson|jsonl)$/i.test(file.path) ? 'ndjson' : null
}
