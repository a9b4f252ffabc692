import type {
  AgreeExpectation,
  AtMostExpectation,
  BelongsExpectation,
  Conditions,
  Expectation,
  FollowsExpectation,
  NeverExpectation,
  OrderExpectation,
  Program,
  Step,
  StuckExpectation,
} from '../../jobs/domain/program.ts'

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

interface StepGiven {
  readonly stream: string
  readonly where?: Conditions
  readonly when?: Conditions
  readonly undoneWhen?: Conditions
}

interface ProgramGiven {
  readonly key?: string
  readonly timezone?: string
  readonly per?: string
  readonly starts?: string | null
  readonly ends?: string | null
  readonly abandonAfterMs?: number | null
  readonly steps: Readonly<Record<string, StepGiven>>
  readonly expectations?: readonly Expectation[]
}

export function aProgram(given: ProgramGiven): Program {
  const steps = Object.entries(given.steps).map(([name, step]): [string, Step] => [
    name,
    { name, title: null, stream: step.stream, where: step.where ?? {}, when: step.when ?? {}, undoneWhen: step.undoneWhen ?? null },
  ])
  return {
    key: given.key ?? 'care',
    title: 'Care',
    purpose: '',
    owner: 'operations',
    timezone: given.timezone ?? 'UTC',
    journey: {
      per: given.per ?? 'subject',
      starts: given.starts ?? null,
      ends: given.ends ?? null,
      abandonAfterMs: given.abandonAfterMs ?? null,
    },
    steps: new Map(steps),
    expectations: given.expectations ?? [],
  }
}

function base(name: string, per: string) {
  return {
    name,
    per,
    owner: null,
    severity: 'high',
    title: null,
    ifItFails: null,
    producedBy: null,
    runbook: null,
    budget: null,
    renamedFrom: null,
    line: 1,
  } as const
}

type Rest<E> = Omit<Partial<E>, 'name' | 'kind' | 'per' | 'within' | 'notBefore'> & { readonly per?: string }

export function follows(
  after: string,
  expect: string,
  within: number | FollowsExpectation['within'],
  rest: Rest<FollowsExpectation> & { readonly notBefore?: number | FollowsExpectation['notBefore']; readonly name?: string } = {},
): FollowsExpectation {
  const { per, notBefore, name, ...more } = rest
  const asDeadline = (value: number | FollowsExpectation['within']): FollowsExpectation['within'] =>
    typeof value === 'number' ? { offsetMs: value, field: null } : value
  return {
    ...base(name ?? `${expect}-after-${after}`, per ?? 'journey'),
    kind: 'follows',
    after,
    expect,
    within: asDeadline(within),
    notBefore: asDeadline(notBefore ?? null),
    variant: null,
    ...more,
  }
}

export function atMost(limit: number, of: string, windowMs: number | null = null, per = 'journey'): AtMostExpectation {
  return { ...base(`at-most-${limit}-${of}`, per), kind: 'at_most', limit, of, windowMs }
}

export function order(first: string, then: string, per = 'journey'): OrderExpectation {
  return { ...base(`${first}-before-${then}`, per), kind: 'order', first, then }
}

export function never(forbidden: string, after: string | null = null, per = 'journey'): NeverExpectation {
  return { ...base(`no-${forbidden}`, per), kind: 'never', never: forbidden, after }
}

export function agree(
  sides: Readonly<Record<string, Readonly<Record<string, string>>>>,
  settleMs: number,
  rest: { readonly per?: string; readonly pick?: AgreeExpectation['pick'] } = {},
): AgreeExpectation {
  const names = Object.keys(sides)
  return {
    ...base('agrees', rest.per ?? 'journey'),
    kind: 'agree',
    sides: names.map((name) => {
      const cut = name.lastIndexOf('.')
      return { stream: name.slice(0, cut), field: name.slice(cut + 1), map: sides[name]! }
    }),
    pick: rest.pick ?? 'latest',
    authority: names[0]!,
    settleMs,
  }
}

export function stuck(afterMs: number): StuckExpectation {
  return { ...base('moves', 'journey'), kind: 'stuck', afterMs }
}

export function belongs(step: string, withinMs: number): BelongsExpectation {
  return { ...base(`${step}-belongs`, 'journey'), kind: 'belongs', step, withinMs }
}
