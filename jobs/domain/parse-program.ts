import { parseDuration } from './duration.ts'
import { parseExpectation } from './parse-expectation.ts'
import { References } from './program-references.ts'
import type { Known } from './program-references.ts'
import { programFrameSchema, stepSchema } from './program-schema.ts'
import type { ProgramFrame } from './program-schema.ts'
import type { Expectation, Program, Step } from './program.ts'
import { isTimeZone } from './time-zone.ts'
import { inOrder, readYaml, zodProblems } from './yaml-source.ts'
import type { Problem } from './yaml-source.ts'

export type { Known, KnownStream } from './program-references.ts'

export type ParsedProgram = { readonly ok: true; readonly program: Program } | { readonly ok: false; readonly problems: readonly Problem[] }

/** Reads a program file (product.md, "A program"). Lists every mistake it can see, each with its place and what was expected. */
export function parseProgram(text: string, file: string, known: Known = {}): ParsedProgram {
  const source = readYaml(text, file)
  if (source.problems.length > 0) return { ok: false, problems: source.problems }
  const frame = programFrameSchema.safeParse(source.value)
  const problems: Problem[] = frame.success ? [] : zodProblems(source, programFrameSchema, frame.error)
  const raw = source.value as Partial<ProgramFrame> | null
  const stepNames = isBlock(raw?.steps) ? Object.keys(raw.steps) : []
  const references = new References(source, problems, stepNames, known)
  const steps = isBlock(raw?.steps) ? Object.entries(raw.steps).flatMap(([name, value]) => parseStep(references, name, value) ?? []) : []
  const journey = isBlock(raw?.journey) ? raw.journey : {}
  const expectations = isBlock(raw?.expectations)
    ? Object.entries(raw.expectations).flatMap(([name, value]) => parseExpectation(references, name, value, journey.per) ?? [])
    : []
  checkFrame(references, raw)
  if (!frame.success || problems.length > 0) return { ok: false, problems: inOrder(problems) }
  return { ok: true, program: toProgram(frame.data, steps, expectations) }
}

function toProgram(frame: ProgramFrame, steps: readonly Step[], expectations: readonly Expectation[]): Program {
  const { per, starts, ends, abandon_after: abandonAfter } = frame.journey
  return {
    key: frame.program,
    title: frame.title ?? frame.program,
    purpose: frame.purpose ?? '',
    owner: frame.owner,
    timezone: frame.timezone ?? 'UTC',
    journey: {
      per: per ?? 'subject',
      starts: starts === undefined || starts === 'any' ? null : starts,
      ends: ends ?? null,
      abandonAfterMs: abandonAfter === undefined ? null : parseDuration(abandonAfter),
    },
    steps: new Map(steps.map((step) => [step.name, step])),
    expectations,
  }
}

/** The streams a program reads, each `<connection>.<stream>`, sorted. */
export function streamsOf(program: Program): string[] {
  const streams = new Set([...program.steps.values()].map((step) => step.stream))
  for (const expectation of program.expectations) {
    if (expectation.kind === 'agree') for (const side of expectation.sides) streams.add(side.stream)
  }
  return [...streams].sort()
}

function isBlock(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What only the whole file shows: names that refer to something declared elsewhere. */
function checkFrame(references: References, raw: Partial<ProgramFrame> | null): void {
  if (isBlock(raw?.steps) && references.steps.length === 0) {
    references.report(['steps'], 'there are no steps; expected at least one, such as `paid: { stream: billing.payment_intents }`', 'key')
  }
  const { starts, ends } = isBlock(raw?.journey) ? raw.journey : {}
  if (typeof starts === 'string' && starts !== 'any') references.step(['journey', 'starts'], starts)
  if (typeof ends === 'string') references.step(['journey', 'ends'], ends)
  if (typeof raw?.owner === 'string') references.owner(['owner'], raw.owner)
  if (typeof raw?.timezone === 'string' && !isTimeZone(raw.timezone)) {
    references.report(['timezone'], `"${raw.timezone}" is no known time zone; expected one such as America/New_York or UTC`)
  }
}

function parseStep(references: References, name: string, raw: unknown): Step | null {
  const path = ['steps', name]
  references.name(path, name)
  if (name === 'any') references.report(path, '"any" is reserved for `starts: any`; give the step another name', 'key')
  const parsed = stepSchema.safeParse(raw)
  if (!parsed.success) return null
  const step = parsed.data
  references.stream([...path, 'stream'], step.stream)
  for (const block of ['where', 'when', 'undone_when'] as const) references.conditions([...path, block], step.stream, step[block])
  return {
    name,
    title: step.title ?? null,
    stream: step.stream,
    where: step.where ?? {},
    when: step.when ?? {},
    undoneWhen: step.undone_when ?? null,
  }
}
