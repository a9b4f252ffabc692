import { pairPromises } from './back-test-tally.ts'
import { inFullWords } from './finding-kinds/words.ts'
import type { Conditions, Deadline, Expectation, Program, Step } from './program.ts'

/** One thing that differs between two versions of a program, in the words of its file. */
export interface Difference {
  readonly what: 'program' | 'step' | 'expectation'
  /** Of the step or expectation, as it is called after; of the program its key. */
  readonly name: string
  /** Another name it had before, else null. */
  readonly formerName: string | null
  readonly change: 'added' | 'removed' | 'changed'
  /** What differs inside of something that is on both sides. Null: not said. */
  readonly fields: readonly { readonly field: string; readonly before: string | null; readonly after: string | null }[]
}

/** What a new version promises differently, in the order: the program itself, its steps, its expectations. Empty when only the text differs. */
export function comparePrograms(before: Program | null, after: Program | null): readonly Difference[] {
  const key = after?.key ?? before?.key ?? ''
  const differences: Difference[] = []
  if (before === null || after === null) {
    differences.push({ what: 'program', name: key, formerName: null, change: before === null ? 'added' : 'removed', fields: [] })
  } else {
    const fields = differing(describeFrame(before), describeFrame(after))
    if (fields.length > 0) differences.push({ what: 'program', name: key, formerName: null, change: 'changed', fields })
  }
  const steps = [...new Set([...(after?.steps.keys() ?? []), ...(before?.steps.keys() ?? [])])]
  for (const name of steps)
    add('step', name, null, described(before?.steps.get(name), describeStep), described(after?.steps.get(name), describeStep))
  for (const pair of pairPromises({ key, present: before, draft: after })) {
    const formerName = pair.before !== null && pair.after !== null && pair.before.name !== pair.after.name ? pair.before.name : null
    const name = pair.after?.name ?? pair.before?.name ?? ''
    add('expectation', name, formerName, described(pair.before, describeExpectation), described(pair.after, describeExpectation))
  }
  return differences

  function add(what: Difference['what'], name: string, formerName: string | null, was: Described | null, is: Described | null): void {
    if (was === null || is === null) {
      differences.push({ what, name, formerName, change: was === null ? 'added' : 'removed', fields: [] })
      return
    }
    const fields = differing(was, is)
    if (fields.length > 0 || formerName !== null) differences.push({ what, name, formerName, change: 'changed', fields })
  }
}

/** By the words of the program file. */
type Described = ReadonlyMap<string, string | null>

function described<T>(value: T | undefined | null, describe: (value: T) => Described): Described | null {
  return value === undefined || value === null ? null : describe(value)
}

function differing(before: Described, after: Described): Difference['fields'] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((field) => ({ field, before: before.get(field) ?? null, after: after.get(field) ?? null }))
    .filter((one) => one.before !== one.after)
}

function describeFrame({ title, purpose, owner, timezone, journey }: Program): Described {
  return new Map([
    ['title', title],
    ['purpose', purpose === '' ? null : purpose],
    ['owner', owner],
    ['timezone', timezone],
    ['journey per', journey.per],
    ['journey starts', journey.starts ?? 'any step'],
    ['journey ends', journey.ends],
    ['abandon_after', durationOf(journey.abandonAfterMs)],
  ])
}

function describeStep({ title, stream, where, when, undoneWhen }: Step): Described {
  return new Map([
    ['title', title],
    ['stream', stream],
    ['where', conditionsOf(where)],
    ['when', conditionsOf(when)],
    ['undone_when', undoneWhen === null ? null : conditionsOf(undoneWhen)],
  ])
}

function describeExpectation(expectation: Expectation): Described {
  const { title, per, owner, severity, budget, ifItFails, producedBy, runbook } = expectation
  return new Map<string, string | null>([
    ...promised(expectation),
    ['per', per],
    ['severity', severity],
    ['owner', owner],
    ['budget', budget === null ? null : `${Number((budget * 100).toFixed(4))}%`],
    ['title', title],
    ['if_it_fails', ifItFails],
    ['produced_by', producedBy],
    ['runbook', runbook],
  ])
}

function promised(expectation: Expectation): readonly (readonly [string, string | null])[] {
  switch (expectation.kind) {
    case 'follows':
      return [
        ['after', expectation.after],
        ['expect', expectation.expect],
        ['within', deadlineOf(expectation.within, expectation.after)],
        ['not_before', deadlineOf(expectation.notBefore, expectation.after)],
        ['variant', expectation.variant === null ? null : JSON.stringify(expectation.variant)],
      ]
    case 'at_most':
      return [
        ['at_most', String(expectation.limit)],
        ['of', expectation.of],
        ['window', durationOf(expectation.windowMs)],
      ]
    case 'order':
      return [
        ['first', expectation.first],
        ['then', expectation.then],
      ]
    case 'never':
      return [
        ['never', expectation.never],
        ['after', expectation.after],
      ]
    case 'agree':
      return [
        ...expectation.sides.map(({ stream, field, map }): [string, string] => [`agree ${stream}.${field}`, JSON.stringify(map)]),
        ['pick', expectation.pick],
        ['authority', expectation.authority],
        ['settle', durationOf(expectation.settleMs)],
      ]
    case 'stuck':
      return [['stuck_after', durationOf(expectation.afterMs)]]
    case 'belongs':
      return [
        ['belongs', expectation.step],
        ['within', durationOf(expectation.withinMs)],
      ]
  }
}

const durationOf = (ms: number | null) => (ms === null ? null : inFullWords(ms))

function deadlineOf(deadline: Deadline | null, anchor: string): string | null {
  if (deadline === null) return null
  const { offsetMs, field } = deadline
  return field === null ? inFullWords(offsetMs) : `${inFullWords(offsetMs)} ${offsetMs < 0 ? 'before' : 'after'} ${anchor}.${field}`
}

function conditionsOf(conditions: Conditions): string | null {
  const said = Object.entries(conditions).map(
    ([field, value]) => `${field} is ${Array.isArray(value) ? value.join(' or ') : String(value)}`,
  )
  return said.length === 0 ? null : said.join(' and ')
}
