import { z } from '@hono/zod-openapi'
import { isoTime, objectShape, ownerShape, severityShape } from './common.ts'

/** A mistake in a program's text. Lines and columns are 1-based. */
export const mistakeShape = z.object({ line: z.int(), column: z.int(), path: z.string(), message: z.string() }).openapi('ProgramMistake')
export type Mistake = z.output<typeof mistakeShape>

export const differenceShape = z
  .object({
    what: z.enum(['program', 'step', 'expectation']),
    name: z.string(),
    formerName: z.string().nullable(),
    change: z.enum(['added', 'removed', 'changed']),
    /** Of an expectation: what it promises, as the new version says it (a removed one: as it was). */
    sentence: z.string().nullable(),
    fields: z.array(z.object({ field: z.string(), before: z.string().nullable(), after: z.string().nullable() })),
  })
  .openapi('ProgramDifference')

export const diffLineShape = z
  .object({ kind: z.enum(['same', 'added', 'removed']), before: z.int().nullable(), after: z.int().nullable(), text: z.string() })
  .openapi('DiffLine')

const sideShape = z.object({
  activations: z.int(),
  violations: z.int(),
  findings: z.int(),
  states: z.record(z.string(), z.int()),
})

export const previewedFindingShape = z
  .object({
    id: z.string(),
    /** Whether the finding is in the record now, so that its page can be opened. */
    isKnown: z.boolean(),
    kind: z.string(),
    sentence: z.string(),
    severity: severityShape,
    owner: ownerShape,
    /** Null: it has none, or its journey is not in the record yet. */
    journeyId: z.string().nullable(),
    object: objectShape.nullable(),
    occurredAt: isoTime.nullable(),
    deadlineAt: isoTime.nullable(),
    /** False: it would have closed by itself, because the step came late. */
    isOpen: z.boolean(),
    /** What the other version says of it, in words. */
    why: z.string(),
    /** `history`: its journey had ended, so applying leaves it as it is. */
    effect: z.enum(['on_apply', 'history']),
  })
  .openapi('PreviewedFinding')
export type PreviewedFindingView = z.output<typeof previewedFindingShape>

export const backTestShape = z
  .object({
    since: isoTime,
    until: isoTime,
    days: z.number(),
    /** Groups of records with something in that time that were judged. */
    judged: z.int(),
    /** 1: all of them; less: the time was up first, and the counts are of a fair sample. */
    share: z.number(),
    tookMs: z.int(),
    appear: z.int(),
    vanish: z.int(),
    stay: z.int(),
    onApply: z.object({ appear: z.int(), vanish: z.int() }),
    expectations: z.array(
      z.object({
        program: z.string(),
        expectation: z.string(),
        formerName: z.string().nullable(),
        title: z.string(),
        before: sideShape.nullable(),
        after: sideShape.nullable(),
        appear: z.int(),
        vanish: z.int(),
        stay: z.int(),
        onApply: z.object({ appear: z.int(), vanish: z.int() }),
        appearing: z.array(previewedFindingShape),
        vanishing: z.array(previewedFindingShape),
      }),
    ),
  })
  .openapi('BackTest')
export type BackTestView = z.output<typeof backTestShape>

export const programChangeShape = z
  .object({
    program: z.string(),
    kind: z.enum(['added', 'changed', 'removed']),
    /** In force now; null: none is. */
    version: z.int().nullable(),
    appliedAt: isoTime.nullable(),
    appliedBy: z.string().nullable(),
    /** An earlier version whose text comes back. */
    goesBackTo: z.int().nullable(),
    differences: z.array(differenceShape),
    diff: z.array(diffLineShape),
  })
  .openapi('ProgramChange')
export type ProgramChangeView = z.output<typeof programChangeShape>

export const programPlanShape = z
  .object({
    plan: z.string(),
    asOf: isoTime,
    changes: z.array(programChangeShape),
    /** Null: nothing changes what is promised, or there is no history to judge. */
    backTest: backTestShape.nullable(),
  })
  .openapi('ProgramPlan')
export type ProgramPlanView = z.output<typeof programPlanShape>

const programSummaryShape = z.object({
  key: z.string(),
  title: z.string(),
  purpose: z.string(),
  /** Null: its text cannot be read any more. */
  owner: ownerShape.nullable(),
  isInForce: z.boolean(),
  /** In force, else the last one that was. */
  version: z.int(),
  versions: z.int(),
  appliedAt: isoTime,
  appliedBy: z.string(),
  removedAt: isoTime.nullable(),
  removedBy: z.string().nullable(),
  promises: z.int(),
  steps: z.int(),
  openFindings: z.int(),
})

export const programListShape = z
  .object({ items: z.array(programSummaryShape), next: z.null(), total: z.int(), asOf: isoTime })
  .openapi('ProgramList')
export type ProgramListView = z.output<typeof programListShape>

export const programDetailShape = programSummaryShape
  .extend({
    asOf: isoTime,
    timezone: z.string().nullable(),
    source: z.string(),
    stepList: z.array(z.object({ name: z.string(), title: z.string(), stream: z.string() })),
    promiseList: z.array(z.object({ name: z.string(), title: z.string(), sentence: z.string(), severity: severityShape, line: z.int() })),
    /** Newest first. */
    history: z.array(
      z.object({
        version: z.int(),
        appliedAt: isoTime,
        appliedBy: z.string(),
        isInForce: z.boolean(),
        /** Against the version before it. */
        differences: z.array(differenceShape),
        isReadable: z.boolean(),
      }),
    ),
  })
  .openapi('ProgramDetail')
export type ProgramDetailView = z.output<typeof programDetailShape>

export const programVersionDiffShape = z
  .object({ from: z.int(), to: z.int(), differences: z.array(differenceShape), diff: z.array(diffLineShape) })
  .openapi('ProgramVersionDiff')
export type ProgramVersionDiffView = z.output<typeof programVersionDiffShape>

export const programWordsShape = z
  .object({
    streams: z.array(
      z.object({
        stream: z.string(),
        title: z.string(),
        tool: z.string(),
        /** Null: any. */
        statuses: z.array(z.string()).nullable(),
      }),
    ),
    owners: z.array(ownerShape),
    /** Types of objects the programs in force speak of. */
    objects: z.array(z.string()),
  })
  .openapi('ProgramWords')

const draftStepShape = z.strictObject({
  name: z.string().min(1).max(63),
  /** A new step: where it shows. Null: the program has it. */
  isNew: z.strictObject({ stream: z.string().min(3).max(200), status: z.string().max(200).nullable() }).nullable(),
})
export const expectationDraftShape = z
  .strictObject({
    program: z.string().min(1).max(63),
    /** Of a program that is not there yet. */
    title: z.string().max(200).nullable(),
    owner: z.string().max(100).nullable(),
    name: z.string().min(1).max(63),
    after: draftStepShape,
    expect: draftStepShape,
    within: z.string().max(100).nullable(),
    per: z.string().max(63).nullable(),
    severity: severityShape.nullable(),
    ifItFails: z.string().max(500).nullable(),
  })
  .openapi('ExpectationDraft')
export const programTextShape = z
  .object({ program: z.string(), source: z.string(), mistakes: z.array(mistakeShape), sentence: z.string().nullable() })
  .openapi('ProgramText')
