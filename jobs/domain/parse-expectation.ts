import { didYouMean } from './closest-word.ts'
import { explainDuration, parseDuration } from './duration.ts'
import type { References } from './program-references.ts'
import { deadlinePattern, expectationForms, expectationMeaning } from './program-schema.ts'
import type { AgreeForm, AtMostForm, BelongsForm, FollowsForm, NeverForm, OrderForm, SharedForm, StuckForm } from './program-schema.ts'
import type { Deadline, Expectation } from './program.ts'
import type { Path } from './yaml-source.ts'

/** One promise, or null when something is wrong with it (and reported). `journeyPer`: the scope it has unless it names one. */
export function parseExpectation(references: References, name: string, raw: unknown, journeyPer: unknown): Expectation | null {
  const path = ['expectations', name]
  references.name(path, name)
  if (!(typeof raw === 'object' && raw !== null && !Array.isArray(raw))) {
    references.report(path, `expected ${expectationMeaning}`)
    return null
  }
  if ('at_risk' in raw) {
    references.report(
      [...path, 'at_risk'],
      '`at_risk` is reserved: estimating the chance before the deadline comes in a later version; remove it for now',
      'key',
    )
    return null
  }
  const form = expectationForms.find((candidate) => candidate.keyword in raw)
  if (form === undefined) {
    const lonely =
      'after' in raw
        ? '`after` needs an `expect` (or a `never`)'
        : 'then' in raw
          ? '`then` needs a `first`'
          : 'of' in raw
            ? '`of` needs an `at_most`'
            : null
    references.report(path, `${lonely ?? 'it is not clear what is promised'}; expected ${expectationMeaning}`, 'key')
    return null
  }
  const parsed = form.schema.safeParse(raw)
  if (!parsed.success) {
    references.reportInvalid(form.schema, parsed.error, path)
    return null
  }
  const before = references.count
  const expectation = build(references, form.keyword, parsed.data, path, name, typeof journeyPer === 'string' ? journeyPer : 'subject')
  return references.count === before ? expectation : null
}

function build(
  references: References,
  keyword: (typeof expectationForms)[number]['keyword'],
  data: unknown,
  path: Path,
  name: string,
  journeyPer: string,
): Expectation {
  const shared = data as SharedForm
  if (shared.owner !== undefined) references.owner([...path, 'owner'], shared.owner)
  if (shared.runbook !== undefined) references.runbook([...path, 'runbook'], shared.runbook)
  const per = shared.per ?? journeyPer
  const base = {
    name,
    per: per === 'subject' || per === 'journey' ? 'journey' : per,
    owner: shared.owner ?? null,
    severity: shared.severity ?? 'medium',
    title: shared.title ?? null,
    ifItFails: shared.if_it_fails ?? null,
    producedBy: shared.produced_by ?? null,
    runbook: shared.runbook ?? null,
    budget: shared.budget === undefined ? null : typeof shared.budget === 'number' ? shared.budget : Number.parseFloat(shared.budget) / 100,
    renamedFrom: shared.renamed_from ?? null,
    line: references.lineOf(path),
  } as const
  if (base.budget !== null && base.budget > 1)
    references.report([...path, 'budget'], 'the budget is over 100 %; expected an acceptable error rate such as 0.5%')
  switch (keyword) {
    case 'at_most': {
      const form = data as AtMostForm
      references.step([...path, 'of'], form.of)
      return {
        ...base,
        kind: 'at_most',
        limit: form.at_most,
        of: form.of,
        windowMs: form.window === undefined ? null : parseDuration(form.window),
      }
    }
    case 'first': {
      const form = data as OrderForm
      references.step([...path, 'first'], form.first)
      references.step([...path, 'then'], form.then)
      if (form.first === form.then) references.report([...path, 'then'], `"${form.then}" is also the \`first\` step; expected another step`)
      return { ...base, kind: 'order', first: form.first, then: form.then }
    }
    case 'never': {
      const form = data as NeverForm
      references.step([...path, 'never'], form.never)
      if (form.after !== undefined) references.step([...path, 'after'], form.after)
      return { ...base, kind: 'never', never: form.never, after: form.after ?? null }
    }
    case 'agree':
      return { ...base, kind: 'agree', ...parseAgreement(references, data as AgreeForm, path) }
    case 'stuck_after':
      return { ...base, kind: 'stuck', afterMs: parseDuration((data as StuckForm).stuck_after)! }
    case 'belongs': {
      const form = data as BelongsForm
      references.step([...path, 'belongs'], form.belongs)
      return { ...base, kind: 'belongs', step: form.belongs, withinMs: parseDuration(form.within)! }
    }
    case 'expect': {
      const form = data as FollowsForm
      references.step([...path, 'after'], form.after)
      references.step([...path, 'expect'], form.expect)
      return {
        ...base,
        kind: 'follows',
        after: form.after,
        expect: form.expect,
        within: form.within === undefined ? null : parseDeadline(references, [...path, 'within'], form.within, form.after),
        notBefore: form.not_before === undefined ? null : parseDeadline(references, [...path, 'not_before'], form.not_before, form.after),
        variant: form.variant ?? null,
      }
    }
  }
}

function parseAgreement(references: References, form: AgreeForm, path: Path) {
  const names = Object.keys(form.agree)
  const sides = names.map((side) => {
    const [connection, stream, ...field] = side.split('.')
    const place = [...path, 'agree', side]
    if (connection === undefined || stream === undefined || field.length === 0) {
      references.report(place, `"${side}" names no field; expected <connection>.<stream>.<field>, such as booking.bookings.status`, 'key')
      return { stream: side, field: '', map: {} }
    }
    const address = `${connection}.${stream}`
    const known = references.stream(place, address, 'key')
    if (known !== null) references.field(place, address, known, field.join('.'), 'key')
    const map = Object.fromEntries(Object.entries(form.agree[side]!).map(([rawValue, common]) => [rawValue, String(common)]))
    return { stream: address, field: field.join('.'), map }
  })
  if (names.length < 2) references.report([...path, 'agree'], 'there is only one side; expected two or more fields to compare', 'key')
  const authority = form.authority ?? names[0] ?? ''
  if (form.authority !== undefined && !names.includes(form.authority)) {
    references.report(
      [...path, 'authority'],
      `"${form.authority}" is none of the fields under \`agree\`. ${didYouMean(form.authority, names)}`,
    )
  }
  return {
    sides,
    pick: form.pick ?? ('latest' as const),
    authority,
    settleMs: form.settle === undefined ? 0 : parseDuration(form.settle)!,
  }
}

function parseDeadline(references: References, path: Path, text: string, anchor: string): Deadline | null {
  const match = deadlinePattern.exec(text.trim())
  const duration = match === null ? null : parseDuration(match[1]!)
  if (match === null || duration === null) {
    const working = /\bworking\b/.test(text)
    references.report(path, working || match?.[2] === undefined ? explainDeadline(text) : explainDuration(match[1]!))
    return null
  }
  const [, , direction, step, field] = match
  if (direction === undefined) return { offsetMs: duration, field: null }
  if (step !== anchor) {
    const hint = references.steps.includes(step!) ? '' : ` ${didYouMean(step!, references.steps)}`
    references.report(
      path,
      `the time is measured from "${step}", but the promise is anchored to "${anchor}"; expected a field of ${anchor}, such as ${anchor}.${field}.${hint}`,
    )
    return null
  }
  return { offsetMs: direction === 'before' ? -duration : duration, field: field! }
}

function explainDeadline(text: string): string {
  const anchored = /^(.*?)\s+(before|after)\s+(\S+)$/.exec(text.trim())
  if (anchored !== null && !anchored[3]!.includes('.')) {
    return `"${anchored[3]}" names no field; expected <step>.<field>, such as ${anchored[1]} ${anchored[2]} booked.startsAt`
  }
  return explainDuration(text)
}
