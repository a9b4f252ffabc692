import { z } from 'zod'
import { duration, name, stream } from './program-schema.ts'
import { evidenceRoles, picks, runbookRoles } from './runbook.ts'

/** The shape of a runbook file, published as docs/schemas/runbook.schema.json. The descriptions are also the "expected …" of error messages. */

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
const title = z.string().min(1).max(120).describe('a short text for the console')
const list = (meaning: string) => z.array(z.string().min(1)).min(1).describe(meaning)
const role = z.enum(runbookRoles).describe(`one of ${runbookRoles.join(', ')}`)

const recordInput = z
  .strictObject({
    title: title.optional(),
    from: z.enum(['evidence', 'journey']).describe('evidence (records the finding names), journey (records of its journey) or object'),
    stream,
    role: z
      .enum(evidenceRoles)
      .optional()
      .describe(`one of ${evidenceRoles.join(', ')}: as what the finding names the record`),
    where: z
      .record(z.string(), z.union([scalar, z.array(scalar).min(1)]))
      .optional()
      .describe('which records: fields with the value they must have, such as { template: booking-confirmation }'),
    pick: z
      .enum(picks)
      .optional()
      .describe('only, first, last, all or rest (all but the first): which record counts where several fit; `only` unless said'),
    field: z.string().min(1).optional().describe('an operational field of the record; its external id unless said'),
    map: z
      .record(z.string(), z.string().min(1).max(80))
      .optional()
      .describe('what stands for each value of the field: { accepted: booked, cancelled: cancelled }; another value stops it'),
  })
  .describe('a record: { from: evidence, stream: <connection>.<stream>, pick: last }')
const objectInput = z
  .strictObject({ title: title.optional(), from: z.literal('object'), type: name('a type of object, such as appointment') })
  .describe('the object the finding is about: { from: object, type: appointment }')
const choiceInput = z
  .strictObject({
    title: title.optional(),
    ask: z.literal('choice'),
    of: z
      .union([z.array(z.string().min(1).max(80)).min(2).max(30), z.record(z.string().min(1).max(80), z.string().min(1).max(120))])
      .describe('a closed list: [requested_by_customer, duplicate], or { duplicate: It was charged twice }'),
  })
  .describe('a choice: { ask: choice, title: Why, of: [duplicate, fraudulent] }')
const numberInput = z
  .strictObject({
    title: title.optional(),
    ask: z.literal('number'),
    min: z.number().optional(),
    max: z.number().optional(),
    whole: z.boolean().optional().describe('true where only whole numbers fit'),
  })
  .describe('a number: { ask: number, title: Amount in cents, min: 1, whole: true }')
const timeInput = z.strictObject({ title: title.optional(), ask: z.literal('time') }).describe('a time: { ask: time, title: New start }')

export const inputMeaning =
  'one of these forms: { from: evidence, stream, pick }, { from: journey, stream, where, pick }, { from: object, type }, { ask: choice, of }, { ask: number }, { ask: time }'

/** By `from` or `ask`, whichever is there. */
export const inputForms = {
  evidence: recordInput,
  journey: recordInput,
  object: objectInput,
  choice: choiceInput,
  number: numberInput,
  time: timeInput,
} as const

const actionShape = {
  do: z.string().min(1).describe('an action: <connection>.<action> such as billing.refund, or a neutral one such as ask-person'),
  with: z
    .record(z.string(), z.json())
    .optional()
    .describe('the input of the action; `$name` stands for the input of that name: { payment_intent: $payment }'),
}
const action = z.strictObject(actionShape).describe('an action: { do: ask-person, with: { question: … } }')

export const runbookStepSchema = z
  .strictObject({
    title: title.optional(),
    ...actionShape,
    retry: z
      .strictObject({
        attempts: z.int().min(1).max(10).optional().describe('a whole number from 1 to 10'),
        backoff: duration.optional(),
      })
      .optional()
      .describe('{ attempts: 3, backoff: 10s }; only what surely had no effect is tried again'),
    timeout: duration.optional(),
    fallback: action.optional().describe('what is done when the step fails: { do: ask-person, with: { question: … } }'),
    compensate: action.optional().describe('what is done when a later step fails: a second action'),
    only_if: z
      .record(z.string(), z.union([z.string(), z.array(z.string()).min(1)]))
      .optional()
      .describe('answers given before that it takes: { <step that asks, or choice>: done }'),
  })
  .describe('a step: { do: <connection>.<action>, with: {…}, retry: {…}, timeout: 2m, fallback: {…}, compensate: {…} }')

export const currencyPattern = /^[A-Z]{3}$/

const frame = {
  runbook: name('the key of the runbook, such as refund-duplicate'),
  title: z.string().min(1).max(120).optional().describe('a short text for the console'),
  purpose: z.string().max(600).optional().describe('a sentence or two: when to take it, and what it does not do'),
  for: z
    .strictObject({
      kinds: list('kinds of findings, such as [gap, late]').optional(),
      programs: list('keys of programs').optional(),
      expectations: list('names of expectations').optional(),
      steps: list('names of steps of the programs').optional(),
    })
    .optional()
    .describe('which findings it may run on: { kinds: [duplicate], steps: [paid] }; any when left out'),
  approve: z
    .union([z.literal('none'), z.strictObject({ by: role.optional(), within: duration.optional() })])
    .optional()
    .describe('{ by: approver, within: 4h }, or none; money is always approved'),
  limits: z
    .strictObject({
      per_run: z.int().min(1).max(1_000).optional().describe('a whole number: effects in tools that one run may have'),
      per_day: z.int().min(1).max(1_000_000).optional().describe('a whole number: effects in tools that its runs of one day may have'),
      amount_per_day: z
        .record(z.string(), z.number().positive().max(1_000_000_000))
        .optional()
        .describe('amounts by currency, such as { USD: 500 }'),
    })
    .optional()
    .describe('{ per_run: 1, per_day: 500, amount_per_day: { USD: 500 } }'),
  roles: z
    .array(role)
    .min(1)
    .optional()
    .describe(`who may run it: a list of ${runbookRoles.join(', ')}`),
  verify: z
    .strictObject({ within: duration.optional() })
    .optional()
    .describe('{ within: 30m }: how long a later read has to show the effect; what the action says when left out'),
}
const inputsMeaning = 'what the steps need: a name for each, with where it comes from'
const stepsMeaning = 'the steps in their order: a name for each, with what it does'

export const runbookFrameSchema = z
  .strictObject({
    ...frame,
    inputs: z.record(z.string(), z.unknown()).optional().describe(inputsMeaning),
    steps: z.record(z.string(), z.unknown()).describe(stepsMeaning),
  })
  .describe('a runbook: the keys runbook, title, for, inputs, steps, approve, limits, roles and verify')
export type RunbookFrame = z.output<typeof runbookFrameSchema>

export const runbookSchema = z
  .strictObject({
    ...frame,
    inputs: z
      .record(z.string(), z.union([recordInput, objectInput, choiceInput, numberInput, timeInput]).describe(inputMeaning))
      .optional()
      .describe(inputsMeaning),
    steps: z.record(z.string(), runbookStepSchema).describe(stepsMeaning),
  })
  .describe('a Throughline runbook')

export type RecordForm = z.output<typeof recordInput>
export type ObjectForm = z.output<typeof objectInput>
export type ChoiceForm = z.output<typeof choiceInput>
export type NumberForm = z.output<typeof numberInput>
export type StepForm = z.output<typeof runbookStepSchema>
export type ActionForm = z.output<typeof action>
