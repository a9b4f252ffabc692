import { z } from 'zod'
import { durationMeaning, durationPattern, explainDuration } from './duration.ts'
import { severities } from './program.ts'

/** The shape of a program file, published as docs/schemas/program.schema.json. The descriptions are also the "expected …" of error messages. */

const namePattern = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/
const nameMeaning = 'a name of letters, digits, `-` and `_` that starts with a letter'
const name = (meaning: string) =>
  z
    .string()
    .regex(namePattern, { error: (issue) => `"${String(issue.input)}" is no name; expected ${nameMeaning}` })
    .describe(meaning)
const stepName = name('the name of a step declared under `steps`')

const duration = z
  .string()
  .regex(durationPattern, { error: (issue) => explainDuration(String(issue.input)) })
  .describe(durationMeaning)

export const deadlinePattern = /^(\S+)(?:\s+(before|after)\s+([A-Za-z][\w-]*)\.(\S+))?$/
const deadlineMeaning =
  'a duration (15m, 2h, 30d, 1h30m), or one measured from a field of the `after` step (24h before booked.startsAt, 1h after booked.startsAt)'
const deadline = z.string().min(1).describe(deadlineMeaning)

const condition = z
  .union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).min(1)])
  .describe('a value, or a list of values of which one must hold')
const conditions = (meaning: string) => z.record(z.string(), condition).describe(meaning)

export const streamPattern = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+$/
const streamMeaning = 'a stream written `<connection>.<stream>`, such as billing.payment_intents'
const stream = z
  .string()
  .regex(streamPattern, { error: (issue) => `"${String(issue.input)}" names no stream; expected ${streamMeaning}` })
  .describe(streamMeaning)

export const stepSchema = z
  .strictObject({
    title: z.string().optional().describe('a short text for the console'),
    stream,
    where: conditions('which records of the stream: fields with the value they must have, such as { template: follow-up }').optional(),
    when: conditions('which state makes the step happen, such as { status: succeeded }').optional(),
    undone_when: conditions('which later state makes it undone, such as { status: cancelled }').optional(),
  })
  .describe('a step: { stream: <connection>.<stream>, where: {…}, when: {…}, undone_when: {…} }')

const per = name('`subject`, or the type of object the promise is about, such as appointment')
const shared = {
  title: z.string().optional().describe('a short text for the console'),
  per: per.optional(),
  owner: z.string().min(1).optional().describe('the key of an owner of owners.yaml'),
  severity: z
    .enum(severities)
    .optional()
    .describe(`one of ${severities.join(', ')}`),
  budget: z
    .union([z.string().regex(/^\d{1,3}(\.\d+)?\s?%$/), z.number().min(0).max(1)])
    .optional()
    .describe('the acceptable error rate: a percentage such as 0.5%, or a share from 0 to 1'),
  if_it_fails: z.string().optional().describe('a sentence: what happens to people when this is broken'),
  produced_by: z.string().optional().describe('the automation that should make it happen, such as n8n/send-confirmation'),
  runbook: z.string().optional().describe('the key of the runbook that repairs it, from runbooks/'),
  renamed_from: z.string().optional().describe('the earlier name of this expectation, so that its findings are kept'),
}

const follows = z.strictObject({
  ...shared,
  after: stepName,
  expect: stepName,
  within: deadline.optional(),
  not_before: deadline.optional(),
  variant: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.strictObject({ same: z.string().min(1) })]))
    .optional()
    .describe(
      'fields the expected record must show: { service: video } or, the same as the `after` record shows, { service: { same: service } }',
    ),
})
const atMost = z.strictObject({
  ...shared,
  at_most: z.int().min(1).max(1_000_000).describe('a whole number from 1 on; for "not at all" use `never`'),
  of: stepName,
  window: duration.optional(),
})
const order = z.strictObject({ ...shared, first: stepName, then: stepName })
const never = z.strictObject({ ...shared, never: stepName, after: stepName.optional() })
const agree = z.strictObject({
  ...shared,
  agree: z
    .record(
      z.string(),
      z
        .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
        .describe('a map from each raw value to a common one, such as { accepted: on, cancelled: off }'),
    )
    .describe('two or more fields `<connection>.<stream>.<field>`, each with its map from raw to common values'),
  pick: z.enum(['latest', 'all', 'any']).optional().describe('latest, all or any: which record counts where a side has several'),
  authority: z.string().optional().describe('the side that is right when they differ: one of the fields under `agree`'),
  settle: duration.optional(),
})
const stuck = z.strictObject({ ...shared, stuck_after: duration })
const belongs = z.strictObject({ ...shared, belongs: stepName, within: duration })

/** By the key that tells which promise it is. `after` alone never decides: `never … after …` has it too. */
export const expectationForms = [
  { keyword: 'at_most', schema: atMost },
  { keyword: 'first', schema: order },
  { keyword: 'never', schema: never },
  { keyword: 'agree', schema: agree },
  { keyword: 'stuck_after', schema: stuck },
  { keyword: 'belongs', schema: belongs },
  { keyword: 'expect', schema: follows },
] as const

export const expectationMeaning =
  'one of these forms: after + expect (+ within), at_most + of (+ window), first + then, never (+ after), agree + authority + settle, stuck_after, belongs + within'

const hours = z
  .record(z.string(), z.string())
  .optional()
  .describe('working hours such as { mon-fri: "08:00-18:00" }; kept for a later version, nothing is judged by them yet')

const frame = {
  program: name('the key of the program, such as virtual-care'),
  title: z.string().optional().describe('a short text for the console'),
  purpose: z.string().optional().describe('a sentence: what the program promises to people'),
  owner: z.string().min(1).describe('the key of the owner who answers for the program, from owners.yaml'),
  timezone: z.string().optional().describe('a time zone such as America/New_York'),
  hours,
  journey: z
    .strictObject({
      per: per.optional(),
      starts: name('the step that opens a journey, or `any`').optional(),
      ends: name('the step that ends a journey').optional(),
      abandon_after: duration.optional(),
    })
    .describe('the journey: { per: subject, starts: <step or any>, ends: <step>, abandon_after: 30d }'),
  steps: z.record(z.string(), stepSchema).describe('the steps: a name for each thing that happens, with the stream that shows it'),
}

const expectationsMeaning = 'the promises: a name for each, with what it promises'

export const programFrameSchema = z
  .strictObject({ ...frame, expectations: z.record(z.string(), z.unknown()).describe(expectationsMeaning) })
  .describe('a program: the keys program, owner, journey, steps and expectations')
export type ProgramFrame = z.output<typeof programFrameSchema>

export const programSchema = z
  .strictObject({
    ...frame,
    expectations: z
      .record(z.string(), z.union([follows, atMost, order, never, agree, stuck, belongs]).describe(expectationMeaning))
      .describe(expectationsMeaning),
  })
  .describe('a Throughline program')

export type FollowsForm = z.output<typeof follows>
export type AtMostForm = z.output<typeof atMost>
export type OrderForm = z.output<typeof order>
export type NeverForm = z.output<typeof never>
export type AgreeForm = z.output<typeof agree>
export type StuckForm = z.output<typeof stuck>
export type BelongsForm = z.output<typeof belongs>
export type SharedForm = Omit<OrderForm, 'first' | 'then'>
export { duration, name, nameMeaning, namePattern, stream }
