import { describe, expect, it } from 'vitest'
import { actionsOf, parseRunbook } from '../../../jobs/domain/parse-runbook.ts'
import { defaultRoles } from '../../../jobs/domain/runbook.ts'
import type { Runbook } from '../../../jobs/domain/runbook.ts'
import { formatProblem } from '../../../jobs/domain/yaml-source.ts'
import { knownToRunbooks, refundDuplicate } from '../../support/runbook.ts'

function read(text: string): Runbook {
  const parsed = parseRunbook(text, 'runbooks/r.yaml', knownToRunbooks)
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed.runbook
}

function problems(text: string, known = knownToRunbooks): string[] {
  const parsed = parseRunbook(text, 'r.yaml', known)
  return parsed.ok ? [] : parsed.problems.map(formatProblem)
}

/** A runbook of the given lines that has everything else right. */
const withLines = (lines: string) => `runbook: r\n${lines}\n`
const cancel = 'steps:\n  a: { do: billing.cancel, with: { payment_intent: pi_1 } }'

describe('parseRunbook', () => {
  it('reads the runbook of the documentation', () => {
    const runbook = read(refundDuplicate)
    expect(runbook).toMatchObject({
      key: 'refund-duplicate',
      title: 'Refund the second charge',
      for: { kinds: ['duplicate'], programs: [], expectations: [], steps: ['paid'] },
      inputs: [
        {
          name: 'payment',
          kind: 'record',
          from: 'evidence',
          stream: 'billing.payment_intents',
          role: 'culprit',
          pick: 'last',
          field: null,
        },
        { name: 'why', kind: 'choice', choices: [{ value: 'duplicate' }, { value: 'requested_by_customer' }] },
      ],
      approve: { by: 'approver', withinMs: 7_200_000 },
      limits: { perRun: 1, perDay: 50, amountPerDay: { USD: 50_000, JPY: 60_000 } },
      roles: ['responder'],
      verifyWithinMs: 1_800_000,
    })
    expect(runbook.steps.map(({ name }) => name)).toEqual(['look', 'refund', 'tell'])
    expect(runbook.steps[1]).toMatchObject({
      connection: 'billing',
      action: 'refund',
      with: { payment_intent: '$payment', reason: '$why' },
      retry: { attempts: 2, backoffMs: 30_000 },
      timeoutMs: 60_000,
      fallback: { connection: null, action: 'ask-person' },
      compensate: null,
      line: 10,
    })
    expect(actionsOf(runbook).map(({ action }) => action)).toEqual(['recheck', 'refund', 'ask-person', 'mail'])
    // It can be stored and read back as it is.
    expect(JSON.parse(JSON.stringify(runbook))).toEqual(runbook)
  })

  it('asks for approval of money, whether the file says so or not, and of nothing else', () => {
    const money = 'steps:\n  a: { do: billing.refund, with: { payment_intent: pi_1 } }'
    expect(read(withLines(money)).approve).toEqual({ by: 'approver', withinMs: 14_400_000 })
    expect(read(withLines(`${cancel}\n    `)).approve).toBeNull()
    expect(read(withLines(`${cancel}\napprove: none`)).approve).toBeNull()
    expect(read(withLines(`${cancel}\napprove: { by: admin }`)).approve).toEqual({ by: 'admin', withinMs: 14_400_000 })
    expect(read(withLines(cancel)).roles).toEqual(defaultRoles)
  })

  it('reads without knowing the connections, as versions in the record are', () => {
    expect(parseRunbook(refundDuplicate, 'r.yaml').ok).toBe(true)
    expect(parseRunbook(withLines('steps:\n  a: { do: gone.forgotten }'), 'r.yaml').ok).toBe(true)
  })

  it.each<[string, string, string[]]>([
    ['an empty file', '', ['r.yaml:1:1 the file is empty; expected a runbook: the keys']],
    ['broken YAML', 'runbook: [', ['r.yaml:1:11 cannot be read as YAML']],
    ['no steps', 'runbook: r\nsteps: {}\n', ['r.yaml:2:1 steps: there are no steps; expected at least one']],
    ['no key', cancel, ['r.yaml:1:1 runbook: "runbook" is missing; expected the key of the runbook']],
    [
      'an unknown setting',
      withLines(`${cancel}\naprove: none`),
      ['aprove: there is no setting of this name here. Did you mean "approve"?'],
    ],
    [
      'an unknown setting of a step',
      withLines('steps:\n  a: { do: wait, wth: {} }'),
      ['steps.a.wth: there is no setting of this name here. Did you mean "with"?'],
    ],
    [
      'an unknown action',
      withLines('steps:\n  a: { do: billing.refnd }'),
      ['steps.a.do: connection "billing" has no action "refnd". Did you mean "billing.refund"?'],
    ],
    [
      'an unknown neutral action',
      withLines('steps:\n  a: { do: wat, with: { for: 1m } }'),
      ['steps.a.do: there is no action "wat". Did you mean "wait"?'],
    ],
    [
      'an action without its connection',
      withLines('steps:\n  a: { do: refund }'),
      ['steps.a.do: "refund" needs its connection; did you mean "billing.refund"?'],
    ],
    [
      'an unknown connection',
      withLines('steps:\n  a: { do: biling.refund }'),
      ['steps.a.do: there is no connection "biling" in connections.yaml. Did you mean "billing"?'],
    ],
    [
      'a connection that can only be read',
      withLines('steps:\n  a: { do: files.put }'),
      ['steps.a.do: connection "files" can only be read: its connector has no actions'],
    ],
    [
      'an unknown input of an action',
      withLines('steps:\n  a: { do: billing.cancel, with: { payment_intent: pi_1, reson: x } }'),
      ['steps.a.with.reson: billing.cancel takes no input "reson". Known: payment_intent.'],
    ],
    [
      'a missing input of an action',
      withLines('steps:\n  a: { do: billing.cancel }'),
      ['steps.a.with.payment_intent: billing.cancel needs the input "payment_intent"; expected the id of a payment'],
    ],
    [
      'a value that does not fit',
      withLines('steps:\n  a: { do: billing.refund, with: { payment_intent: pi_1, amount: much } }'),
      ['steps.a.with.amount: "much" does not fit; expected minor units'],
    ],
    [
      'an undeclared input',
      withLines('steps:\n  a: { do: billing.cancel, with: { payment_intent: $pay } }\ninputs:\n  payment: { from: object, type: payment }'),
      ['steps.a.with.payment_intent: there is no input "pay"', 'inputs.payment: no step uses this input; use it as $payment'],
    ],
    ['an unused input', withLines(`inputs:\n  start: { ask: time }\n${cancel}`), ['r.yaml:3:3 inputs.start: no step uses this input']],
    [
      'a time where a whole number goes',
      withLines('inputs:\n  when: { ask: time }\nsteps:\n  a: { do: billing.refund, with: { payment_intent: pi_1, amount: $when } }'),
      ['steps.a.with.amount: "amount" of billing.refund takes a whole number, and "when" is a time'],
    ],
    [
      'a number where an id goes',
      withLines('inputs:\n  n: { ask: number }\nsteps:\n  a: { do: billing.cancel, with: { payment_intent: $n } }'),
      ['"payment_intent" of billing.cancel takes a text, and "n" is a number'],
    ],
    [
      'a number that need not be whole',
      withLines('inputs:\n  n: { ask: number }\nsteps:\n  a: { do: billing.refund, with: { payment_intent: pi_1, amount: $n } }'),
      ['takes a whole number, and "n" may be another one; add `whole: true` to it'],
    ],
    [
      'a choice the action does not take',
      withLines(
        'inputs:\n  why: { ask: choice, of: [duplicate, angry] }\nsteps:\n  a: { do: billing.refund, with: { payment_intent: pi_1, reason: $why } }',
      ),
      ['"reason" of billing.refund cannot be "angry", which "why" may be; expected duplicate or requested_by_customer'],
    ],
    [
      'a map of a status the stream never has',
      withLines(
        'inputs:\n  p: { from: evidence, stream: billing.payment_intents, field: status, map: { suceeded: duplicate } }\nsteps:\n  a: { do: billing.refund, with: { payment_intent: pi_1, reason: $p } }',
      ),
      ['inputs.p.map.status: billing.payment_intents never has the status "suceeded". Did you mean "succeeded"?'],
    ],
    [
      'a map to a value the action does not take',
      withLines(
        'inputs:\n  p: { from: evidence, stream: billing.payment_intents, field: status, map: { succeeded: twice } }\nsteps:\n  a: { do: billing.refund, with: { payment_intent: pi_1, reason: $p } }',
      ),
      ['"reason" of billing.refund cannot be "twice", which "p" may be; expected duplicate'],
    ],
    [
      'a map of nothing',
      withLines(
        'inputs:\n  p: { from: evidence, stream: billing.payment_intents, map: { a: b } }\nsteps:\n  a: { do: billing.cancel, with: { payment_intent: $p } }',
      ),
      ['inputs.p.map: it is not said what is mapped; expected a `field` beside it'],
    ],
    [
      'an input from nowhere',
      withLines(`inputs:\n  x: { from: evidense }\n${cancel}`),
      ['inputs.x: it is not clear where this comes from', 'Did you mean "evidence"?', 'inputs.x: no step uses'],
    ],
    [
      'a free text asked of a person',
      withLines(`inputs:\n  x: { ask: text }\n${cancel}`),
      ['inputs.x: it is not clear where this comes from', 'inputs.x: no step uses'],
    ],
    [
      'an input of an unknown stream',
      withLines(
        'inputs:\n  p: { from: evidence, stream: billing.payments }\nsteps:\n  a: { do: billing.cancel, with: { payment_intent: $p } }',
      ),
      ['inputs.p.stream: connection "billing" has no stream "payments"'],
    ],
    [
      'an input of an unknown field',
      withLines(
        'inputs:\n  p: { from: evidence, stream: billing.payment_intents, field: amunt }\nsteps:\n  a: { do: billing.refund, with: { payment_intent: pi_1, amount: $p } }',
      ),
      ['inputs.p.field: billing.payment_intents keeps no field "amunt". Did you mean "amount"?'],
    ],
    [
      'two inputs of several records',
      withLines(
        'inputs:\n  p: { from: evidence, stream: billing.payment_intents, pick: all }\n  q: { from: evidence, stream: billing.payment_intents, pick: rest }\nsteps:\n  a: { do: billing.refund, with: { payment_intent: $p, reason: $q } }',
      ),
      ['"reason" of billing.refund', '"p" and "q" both stand for several records'],
    ],
    [
      'two inputs of several records in a step and its fallback',
      withLines(
        'inputs:\n  p: { from: evidence, stream: billing.payment_intents, pick: all }\n  q: { from: evidence, stream: billing.payment_intents, pick: rest }\nsteps:\n  a: { do: billing.refund, with: { payment_intent: $p }, fallback: { do: billing.cancel, with: { payment_intent: $q } } }',
      ),
      ['steps.a.with: "p" and "q" both stand for several records'],
    ],
    [
      'money without approval',
      withLines('steps:\n  a: { do: billing.refund, with: { payment_intent: pi_1 } }\napprove: none'),
      ['approve: the step "a" moves money, and money is always approved; expected { by: approver, within: 4h }'],
    ],
    [
      'money in a fallback without approval',
      withLines(
        'steps:\n  a: { do: billing.cancel, with: { payment_intent: pi_1 }, fallback: { do: billing.refund, with: { payment_intent: pi_1 } } }\napprove: none',
      ),
      ['approve: the step "a" moves money'],
    ],
    [
      'money approved by an operator',
      withLines('steps:\n  a: { do: billing.refund, with: { payment_intent: pi_1 } }\napprove: { by: operator }'),
      ['approve.by: money is approved by an approver or an admin'],
    ],
    ['an unknown role', withLines(`${cancel}\nroles: [boss]`), ['roles[0]: "boss" does not fit; expected one of operator']],
    [
      'a limit that no run fits',
      withLines(`${cancel}\n  b: { do: billing.cancel, with: { payment_intent: pi_2 } }\nlimits: { per_run: 1 }`),
      ['limits.per_run: its steps have 2 effects in tools, so it could never run; expected at least 2'],
    ],
    [
      'a limit of money without money',
      withLines(`${cancel}\nlimits: { amount_per_day: { USD: 5 } }`),
      ['limits.amount_per_day: no step moves money'],
    ],
    [
      'an unknown currency',
      withLines('steps:\n  a: { do: billing.refund, with: { payment_intent: pi_1 } }\nlimits: { amount_per_day: { usd: 5 } }'),
      ['limits.amount_per_day.usd: "usd" is no currency'],
    ],
    [
      'an amount finer than its currency',
      withLines('steps:\n  a: { do: billing.refund, with: { payment_intent: pi_1 } }\nlimits: { amount_per_day: { JPY: 5.5 } }'),
      ['limits.amount_per_day.JPY: JPY is counted to whole units; 5.5 is finer than that'],
    ],
    [
      'a fallback to itself',
      withLines(
        'steps:\n  a: { do: billing.cancel, with: { payment_intent: pi_1 }, fallback: { do: billing.cancel, with: { payment_intent: pi_1 } } }',
      ),
      ['steps.a.fallback: the fallback does again what just failed; expected another action (to try again, use `retry`)'],
    ],
    [
      'a fallback that is never reached',
      withLines('steps:\n  a: { do: wait, with: { for: 1m }, fallback: { do: recheck } }'),
      ['steps.a.fallback: wait does not fail, so this fallback is never reached'],
    ],
    [
      'a compensation that is never reached',
      withLines('steps:\n  a: { do: billing.refund, with: { payment_intent: pi_1 }, compensate: { do: recheck } }'),
      ['steps.a.compensate: it is taken when a later step fails, and there is none'],
    ],
    [
      'a step after an answer nobody can give',
      withLines(
        `steps:\n  ask: { do: ask-person, with: { question: Is it done?, answers: [yes, no] } }\n  a: { do: recheck, only_if: { ask: maybe } }`,
      ),
      ['steps.a.only_if.ask: "ask" is never answered "maybe". Known: yes, no.'],
    ],
    [
      'a step that waits for a later question',
      withLines('steps:\n  a: { do: recheck, only_if: { ask: done } }\n  ask: { do: ask-person, with: { question: Is it done? } }'),
      ['steps.a.only_if.ask: "ask" comes only later, so this step is never reached'],
    ],
    [
      'a step under two answers at once',
      withLines(
        'steps:\n  q: { do: ask-person, with: { question: Is it?, answers: [yes, no] } }\n  r: { do: ask-person, with: { question: Sure?, answers: [yes, no] }, only_if: { q: yes } }\n  a: { do: recheck, only_if: { q: no, r: yes } }',
      ),
      ['steps.a.only_if: this step is never reached'],
    ],
    [
      'a condition on a step that asks nothing',
      withLines('steps:\n  a: { do: recheck }\n  b: { do: recheck, only_if: { a: done } }'),
      ['steps.b.only_if.a: the step "a" asks nothing'],
    ],
    [
      'a wait without a time',
      withLines('steps:\n  a: { do: wait }'),
      ['steps.a.with: "with" is missing; expected either `for: 10m` or `until: $time`'],
    ],
    [
      'a time-out of a question',
      withLines('steps:\n  a: { do: ask-person, with: { question: Is it? }, timeout: 1m }'),
      ['steps.a.timeout: a timeout is of one attempt at a tool'],
    ],
    [
      'a bad duration',
      withLines('steps:\n  a: { do: recheck, retry: { backoff: 10 sec } }'),
      ['steps.a.retry.backoff: "10 sec" is not a duration; write it as 10s'],
    ],
    [
      'an unknown owner',
      withLines('steps:\n  a: { do: mail, with: { subject: Look, to: dsk } }'),
      ['steps.a.with.to: there is no owner "dsk" in owners.yaml. Did you mean "desk"?'],
    ],
    [
      'an unknown kind',
      withLines(`for: { kinds: [duplicat] }\n${cancel}`),
      ['for.kinds[0]: there is no kind of finding "duplicat". Did you mean "duplicate"?'],
    ],
    [
      'an unknown program',
      withLines(`for: { programs: [car] }\n${cancel}`),
      ['for.programs[0]: there is no program "car". Did you mean "care"?'],
    ],
    [
      'an unknown expectation',
      withLines(`for: { programs: [care], expectations: [one-charg] }\n${cancel}`),
      ['for.expectations[0]: the program care does not have an expectation "one-charg". Did you mean "one-charge"?'],
    ],
    ['an unknown step', withLines(`for: { steps: [pad] }\n${cancel}`), ['for.steps[0]: no program has a step "pad". Did you mean "paid"?']],
    [
      'a scope nothing fits',
      withLines(`for: { kinds: [drift], expectations: [one-charge] }\n${cancel}`),
      ['for: no promise of any program can have a finding that fits all of this'],
    ],
    [
      'a role of the journey',
      withLines(
        'inputs:\n  p: { from: journey, stream: texts.messages, role: anchor }\nsteps:\n  a: { do: texts.resend, with: { message: $p } }',
      ),
      ['inputs.p.role: only evidence has roles'],
    ],
  ])('tells of %s', (_, text, expected) => {
    const found = problems(text)
    for (const line of expected) expect(found.join('\n')).toContain(line)
    expect(found.length).toBeGreaterThanOrEqual(1)
    expect(found.length).toBeLessThanOrEqual(Math.max(1, expected.length))
  })

  it('takes the actions of a connection that could not be read on trust, so that one mistake is not told twice', () => {
    expect(problems(withLines('steps:\n  a: { do: broken.anything, with: { x: 1 } }'))).toEqual([])
  })

  it('tells every mistake at once, in the order of the file', () => {
    const text = withLines(
      'for: { kinds: [nope] }\ninputs:\n  x: { ask: time }\nsteps:\n  a: { do: billing.nope }\n  b: { do: nope.refund }',
    )
    expect(problems(text).map((line) => Number(line.split(':')[1]))).toEqual([2, 4, 6, 7])
  })
})
