import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decideFindings, fingerprintOf } from '../../../jobs/domain/decide-findings.ts'
import type { Verdict } from '../../../jobs/domain/expectations/expectation.ts'
import { activation, at, decide, evidence, inTime, opened, options, tooLate, unknown, verdict } from './findings-support.ts'

const judge = (of: Verdict, rest = {}) => [activation(of, rest)]

describe('capability 1: clock and watermark, the finding', () => {
  test('an unknown verdict opens nothing', () => {
    expect(decideFindings([], judge(unknown()), options('9:30'))).toEqual([])
  })

  test('a violated one opens exactly one gap with its owner, deadline and due time', () => {
    const changes = decideFindings([], judge(verdict()), options('9:30'))
    expect(changes).toHaveLength(1)
    expect(changes[0]).toMatchObject({
      act: 'finding.open',
      before: null,
      after: {
        kind: 'gap',
        status: 'open',
        owner: 'messaging',
        severity: 'high',
        deadlineAt: at('9:15'),
        occurredAt: at('9:15'),
        openedAt: at('9:30'),
        dueAt: at('9:30') + 24 * 3_600_000,
        violations: 1,
        revision: 1,
      },
      audit: { before: null, after: { status: 'open', owner: 'messaging' } },
    })
  })

  test('a message read later with event time 9:12 closes it as a false alarm, not as recovered', () => {
    const [finding] = decide([opened()], judge(inTime('9:12')), options('9:45'))
    expect(finding).toMatchObject({
      status: 'false_alarm',
      closedReason: 'late_evidence',
      kind: 'gap',
      closingEvidenceAt: at('9:12'),
      closedAt: at('9:45'),
    })
    expect(finding?.closingEvidence).toHaveLength(2)
  })

  test('an event at 9:40 makes the same finding late, closed by itself', () => {
    const gap = opened()
    const [finding, ...others] = decide([gap], judge(tooLate('9:40')), options('9:45'))
    expect(others).toEqual([])
    expect(finding).toMatchObject({
      id: gap.id,
      kind: 'late',
      status: 'verified',
      closedReason: 'came_late',
      violations: 1,
      closingEvidenceAt: at('9:40'),
    })
  })

  test('a step that came late before anyone looked still counts, as a closed finding', () => {
    const [finding] = decide([], judge(tooLate()), options('12:00'))
    expect(finding).toMatchObject({ kind: 'late', status: 'verified', closedReason: 'came_late', violations: 1, owner: 'messaging' })
  })

  test('a late finding turns into a false alarm when a message in time is read after all', () => {
    const [late] = decide([opened()], judge(tooLate()), options('9:45'))
    const [finding] = decide([late!], judge(inTime()), options('10:00'))
    expect(finding).toMatchObject({ status: 'false_alarm', closedReason: 'late_evidence' })
  })
})

describe('semantics 17: anchors', () => {
  test.each([
    [
      'moved into the future',
      verdict({ state: 'pending', kind: null, violations: 0, dueAt: at('12:15'), occurredAt: null }),
      'anchor_moved',
    ],
    ['moved, and the step came in time of the new one', { ...inTime('12:10'), dueAt: at('12:15') }, 'anchor_moved'],
    [
      'was undone',
      verdict({ state: 'void', kind: null, violations: 0, dueAt: null, occurredAt: null, evidenceAt: at('9:20') }),
      'anchor_undone',
    ],
  ])('closes as void when its deadline %s', (_, of, reason) => {
    const [finding] = decide([opened()], judge(of), options('9:45'))
    expect(finding).toMatchObject({ status: 'void', closedReason: reason })
  })

  test('is a false alarm, not void, when the step came in time of the deadline it missed, though that has moved since', () => {
    const [finding] = decide([opened()], judge({ ...inTime('9:12'), dueAt: at('12:15') }), options('9:45'))
    expect(finding).toMatchObject({ status: 'false_alarm' })
  })

  test('closes as void when its anchor is no longer there', () => {
    const [finding] = decide([opened()], [], options('9:45'))
    expect(finding).toMatchObject({ status: 'void', closedReason: 'anchor_gone' })
  })

  test('keeps a finding whose deadline moved but is missed all the same', () => {
    const [finding] = decide([opened()], judge(verdict({ dueAt: at('9:20'), occurredAt: at('9:20') })), options('9:45'))
    expect(finding).toMatchObject({ status: 'open', deadlineAt: at('9:20'), revision: 2 })
  })
})

describe('semantics 18: another variant', () => {
  test('a gap whose step came in time with another template stays the same finding as wrong_variant', () => {
    const gap = opened()
    const of = verdict({ kind: 'wrong_variant', evidenceAt: at('9:12'), detail: { field: 'template', expected: 'a', observed: 'b' } })
    const changes = decideFindings([gap], judge(of), options('9:45'))
    expect(changes).toMatchObject([
      { act: 'finding.update', after: { id: gap.id, kind: 'wrong_variant', status: 'open' }, audit: { before: { kind: 'gap' } } },
    ])
  })
})

describe('semantics 19: fingerprints', () => {
  test('the same activation has the same fingerprint in one workspace only', () => {
    expect(fingerprintOf('acme', 'p', 'e', 'a')).toBe(fingerprintOf('acme', 'p', 'e', 'a'))
    expect(fingerprintOf('acme', 'p', 'e', 'a')).not.toBe(fingerprintOf('other', 'p', 'e', 'a'))
  })

  test('deciding again over what was decided changes nothing', () => {
    for (const of of [verdict(), tooLate(), inTime(), unknown()]) {
      const first = decide([opened()], judge(of), options('9:45'))
      expect(decideFindings(first, judge(of), options('9:50'))).toEqual([])
    }
  })

  test('evidence read again without change is no change', () => {
    const again = verdict({ evidence: [evidence('anchor', 'booking-1', '9:00', { observedAt: at('9:50') })] })
    expect(decideFindings([opened()], judge(again), options('9:50'))).toEqual([])
  })

  test('a finding whose key changed moves with its alias and nothing is opened twice', () => {
    const gap = opened()
    const rekeyed = activation(verdict({ activation: 'booking-0' }))
    const [moved, ...others] = decide([gap], [rekeyed], options('9:45'))
    expect(others).toEqual([])
    expect(moved).toMatchObject({
      id: gap.id,
      fingerprint: rekeyed.fingerprint,
      aliases: [gap.fingerprint],
      status: 'open',
      owner: gap.owner,
    })
    const [back, ...none] = decide([moved!], judge(verdict()), options('9:50'))
    expect(none).toEqual([])
    expect(back).toMatchObject({ id: gap.id, fingerprint: gap.fingerprint, aliases: [rekeyed.fingerprint] })
  })

  test('a finding that moves is closed in the same step when its new activation is settled', () => {
    const duplicate = verdict({
      expectation: 'booking-confirmed',
      kind: 'duplicate',
      dueAt: null,
      occurredAt: at('9:01'),
      evidence: [evidence('culprit', 'a', '9:00'), evidence('culprit', 'b', '9:01')],
    })
    const gap = opened(duplicate)
    const settled = {
      ...duplicate,
      activation: 'b',
      state: 'satisfied' as const,
      kind: null,
      violations: 0,
      evidenceAt: at('10:00'),
      evidence: [evidence('culprit', 'b', '9:01')],
    }
    const [finding] = decide([gap], judge(settled), options('10:05'))
    expect(finding).toMatchObject({ id: gap.id, status: 'verified', closedReason: 'set_right', aliases: [gap.fingerprint] })
  })

  test('a renamed promise keeps its findings', () => {
    const gap = opened()
    const renamed = activation(verdict({ expectation: 'confirmed-in-time' }), { formerFingerprints: [gap.fingerprint], programVersion: 2 })
    const [finding, ...others] = decide([gap], [renamed], options('9:45', { promises: new Set(['virtual-care\0confirmed-in-time']) }))
    expect(others).toEqual([])
    expect(finding).toMatchObject({ id: gap.id, status: 'open', expectation: 'confirmed-in-time', fingerprint: renamed.fingerprint })
  })

  test('two anchors that share a follower keep their own findings', () => {
    const first = opened()
    const other = activation({
      ...inTime(),
      activation: 'booking-2',
      evidence: [evidence('anchor', 'booking-2', '9:05'), evidence('expected', 'message-1', '9:12')],
    })
    const after = decide([{ ...first, evidence: tooLate('9:12').evidence }], [other], options('9:45'))
    expect(after).toMatchObject([{ id: first.id, fingerprint: first.fingerprint, status: 'void' }])
  })
})

describe('semantics 20: endings', () => {
  const duplicate = verdict({
    kind: 'duplicate',
    dueAt: null,
    occurredAt: at('9:01'),
    evidence: [evidence('culprit', 'a', '9:00'), evidence('culprit', 'b', '9:01')],
  })
  const settled = (clock: string): Verdict => ({ ...duplicate, state: 'satisfied', kind: null, violations: 0, evidenceAt: at(clock) })

  test('verified by itself when it was set right after it had happened: a refunded duplicate', () => {
    const [finding] = decide([opened(duplicate)], judge(settled('9:50')), options('10:00'))
    expect(finding).toMatchObject({ status: 'verified', closedReason: 'set_right', closingEvidenceAt: at('9:50') })
  })

  test('false alarm when what settles it had occurred before', () => {
    const [finding] = decide([opened(duplicate)], judge(settled('8:50')), options('10:00'))
    expect(finding).toMatchObject({ status: 'false_alarm' })
  })

  test('withdrawn when its records belong to another subject now', () => {
    const [finding] = decide([opened()], [], options('9:45', { subjects: new Set(['s2']) }))
    expect(finding).toMatchObject({ status: 'withdrawn', closedReason: 'subject_changed' })
  })

  test('a withdrawn finding is back, with its owner and without a regression, when the merge is undone', () => {
    const [withdrawn] = decide([{ ...opened(), owner: 'dana' }], [], options('9:45', { subjects: new Set(['s2']) }))
    const [finding, ...others] = decide([withdrawn!], judge(verdict()), options('9:50'))
    expect(others).toEqual([])
    expect(finding).toMatchObject({ id: withdrawn?.id, status: 'open', owner: 'dana', regressions: 0 })
  })

  test('an unknown verdict never closes an open finding', () => {
    for (const status of ['open', 'acknowledged', 'acting', 'verifying', 'verification_failed'] as const) {
      expect(decideFindings([{ ...opened(), status }], judge(unknown()), options('9:45'))).toEqual([])
    }
  })

  test('drift waits: agreement that has not held for the settle time keeps it open', () => {
    const drift = opened(verdict({ kind: 'drift', dueAt: null, evidence: [evidence('side', 'a', '9:00'), evidence('side', 'b', '9:01')] }))
    expect(
      decideFindings([drift], judge(verdict({ state: 'pending', kind: null, violations: 0, dueAt: at('10:00') })), options('9:45')),
    ).toEqual([])
  })

  test('a flip of the same disagreement is one more occurrence of the same finding', () => {
    const drift = verdict({ kind: 'drift', dueAt: null })
    const [finding, ...others] = decide([opened(drift)], judge({ ...drift, occurrences: 3 }), options('9:45'))
    expect(others).toEqual([])
    expect(finding).toMatchObject({ occurrences: 3, status: 'open' })
  })

  test('a stuck journey that moves again closes as verified', () => {
    const stuck = opened(verdict({ kind: 'stuck', dueAt: at('9:15'), evidence: [evidence('observed', 'a', '9:00')] }))
    const moves = verdict({
      state: 'pending',
      kind: null,
      violations: 0,
      dueAt: at('12:00'),
      occurredAt: null,
      evidenceAt: at('9:40'),
      activation: 'later',
    })
    expect(decide([stuck], judge(moves), options('9:45'))).toMatchObject([{ status: 'verified', closedReason: 'set_right' }])
  })

  test('closing clears the claim, the snooze and the waiver', () => {
    const claimed = { ...opened(), claimedBy: 'dana', claimedUntil: at('10:00'), snoozedUntil: at('11:00') }
    expect(decide([claimed], judge(inTime()), options('9:45'))).toMatchObject([{ claimedBy: null, claimedUntil: null, snoozedUntil: null }])
  })
})

describe('waivers and snoozes', () => {
  const waived = { ...opened(), status: 'waived' as const, closedReason: 'waived', closedAt: at('9:35'), waivedUntil: at('12:00') }

  test('semantics 20: one whose promise was removed meanwhile ends when its waiver does, and is not woken for ever', () => {
    expect(decideFindings([waived], [], options('11:59'))).toEqual([])
    const changes = decideFindings([waived], [], options('12:00'))
    expect(changes).toMatchObject([{ act: 'finding.close', after: { waivedUntil: null } }])
    expect(decideFindings([changes[0]!.after], [], options('12:01'))).toEqual([])
  })
  test('a waived finding rests while its waiver lasts', () => {
    expect(decideFindings([waived], judge(verdict()), options('11:59'))).toEqual([])
  })
  test('a waiver that runs out opens it again, and it is no regression', () => {
    const changes = decideFindings([waived], judge(verdict()), options('12:00'))
    expect(changes).toMatchObject([
      { act: 'finding.reopen', after: { status: 'open', waivedUntil: null, closedAt: null, regressions: 0, owner: waived.owner } },
    ])
  })
  test('a waiver that runs out on an unknown verdict opens it again: what was violated has not been shown to be otherwise', () => {
    expect(decide([waived], judge(unknown()), options('12:00'))).toMatchObject([{ status: 'open' }])
  })
  test('a waiver that runs out on a settled one ends as the evidence says', () => {
    expect(decide([waived], judge(inTime()), options('12:00'))).toMatchObject([{ status: 'false_alarm', waivedUntil: null }])
  })
  test('a snoozed finding wakes at its time and not before', () => {
    const snoozed = { ...opened(), snoozedUntil: at('11:00') }
    expect(decideFindings([snoozed], judge(verdict()), options('10:59'))).toEqual([])
    expect(decideFindings([snoozed], judge(verdict()), options('11:00'))).toMatchObject([
      { act: 'finding.wake', after: { snoozedUntil: null, status: 'open' } },
    ])
  })
})

describe('semantics 21: regression', () => {
  test('a confirmation that bounces after it came late reopens the same finding with its owner', () => {
    const [late] = decide([{ ...opened(), owner: 'dana' }], judge(tooLate('9:40')), options('9:45'))
    const bounced = verdict({ evidence: [evidence('anchor', 'booking-1', '9:00'), evidence('observed', 'message-1', '10:10')] })
    const changes = decideFindings([late!], judge(bounced), options('10:15'))
    expect(changes).toMatchObject([
      {
        act: 'finding.regress',
        after: { id: late?.id, kind: 'gap', status: 'open', owner: 'dana', regressions: 1, closedAt: null, closingEvidenceAt: null },
      },
    ])
  })

  test('P17: opens again, and is no regression, when what closed it turns out to belong elsewhere', () => {
    const [late] = decide([{ ...opened(), owner: 'dana' }], judge(tooLate('9:40')), options('9:45'))
    expect(late?.status).toBe('verified')
    expect(decideFindings([late!], judge(verdict()), options('10:15'))).toMatchObject([
      { act: 'finding.reopen', after: { id: late?.id, kind: 'gap', status: 'open', owner: 'dana', regressions: 0 } },
    ])
  })

  test('a new activation is a new finding', () => {
    const [late] = decide([], judge(tooLate()), options('9:45'))
    const next = verdict({ activation: 'booking-2', evidence: [evidence('anchor', 'booking-2', '13:00')] })
    expect(decide([late!], [activation(tooLate()), activation(next)], options('14:00'))).toHaveLength(2)
  })

  test('what a person called a false alarm stays closed while nothing new happens', () => {
    const closed = {
      ...opened(),
      status: 'false_alarm' as const,
      closedReason: 'person',
      closedAt: at('9:35'),
      closingEvidenceAt: at('9:35'),
    }
    expect(decideFindings([closed], judge(verdict()), options('12:00'))).toEqual([])
  })

  test('semantics 19: one that closed by itself opens again when late facts show the closing was premature, and it is no regression', () => {
    const closed = {
      ...opened(),
      status: 'verified' as const,
      closedReason: 'set_right',
      closedAt: at('23:00'),
      closingEvidenceAt: at('22:00'),
      closingEvidence: [evidence('observed', 'y', null, { occurredAt: at('22:00') })],
    }
    const again = verdict({ occurredAt: at('9:15'), evidence: [evidence('observed', 'x', null, { occurredAt: at('9:20') })] })
    expect(decideFindings([closed], judge(again), options('23:30'))).toMatchObject([
      { act: 'finding.reopen', after: { status: 'open', regressions: 0 } },
    ])
  })
  test('P18: evidence older than a closing by a person does not reopen, newer does, with the owner kept', () => {
    const minute = fc.integer({ min: 1, max: 600 })
    fc.assert(
      fc.property(minute, minute, fc.constantFrom('verified', 'false_alarm'), (closing, contrary, status) => {
        const closed = {
          ...opened(),
          owner: 'dana',
          status: status as 'verified' | 'false_alarm',
          closedReason: 'dismissed',
          closedAt: at('23:00'),
          closingEvidenceAt: at('9:15') + closing * 60_000,
        }
        const again = verdict({
          occurredAt: at('9:15'),
          evidence: [evidence('observed', 'x', null, { occurredAt: at('9:15') + contrary * 60_000 })],
        })
        const changes = decideFindings([closed], judge(again), options('23:30'))
        if (contrary <= closing) expect(changes).toEqual([])
        else expect(changes).toMatchObject([{ act: 'finding.regress', after: { status: 'open', owner: 'dana', regressions: 1 } }])
      }),
    )
  })
})

describe('semantics 22: versions', () => {
  test('a violation that vanishes under a new version is withdrawn', () => {
    const patient = verdict({ state: 'pending', kind: null, violations: 0, dueAt: at('10:00'), occurredAt: null })
    expect(decide([opened()], judge(patient, { programVersion: 2 }), options('9:45'))).toMatchObject([
      { status: 'withdrawn', closedReason: 'program_changed' },
    ])
  })
  test('a violation that stands under a new version remembers it', () => {
    expect(decide([opened()], judge(verdict(), { programVersion: 2 }), options('9:45'))).toMatchObject([
      { status: 'open', programVersion: 2 },
    ])
  })
  test('a promise no program makes any more is withdrawn', () => {
    expect(decide([opened()], [], options('9:45', { promises: new Set() }))).toMatchObject([
      { status: 'withdrawn', closedReason: 'promise_removed' },
    ])
  })
})

describe('semantics 23: balance', () => {
  test('opening + new + regressed + waivers expired + back − endings = closing, over any course of verdicts', () => {
    const step = fc.record({
      of: fc.constantFrom('violated', 'late', 'in time', 'unknown', 'void', 'gone'),
      minutes: fc.integer({ min: 1, max: 90 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let now = at('9:30')
        let findings = decide([], [], options('9:30'))
        const isOpen = () => findings.filter((finding) => finding.closedAt === null).length
        for (const { of, minutes } of steps) {
          now += minutes * 60_000
          const verdicts = {
            violated: [verdict({ evidenceAt: now - 1000 })],
            late: [tooLate()],
            'in time': [inTime()],
            unknown: [unknown()],
            void: [verdict({ state: 'void', kind: null, violations: 0, dueAt: null, occurredAt: null, evidenceAt: now - 1000 })],
            gone: [],
          }[of]
          const before = isOpen()
          const changes = decideFindings(
            findings,
            verdicts.map((one) => activation(one)),
            { ...options('9:30'), now },
          )
          const entered = changes.filter(
            ({ before, after }) => (before === null || before.closedAt !== null) && after.closedAt === null,
          ).length
          const left = changes.filter(({ before, after }) => before !== null && before.closedAt === null && after.closedAt !== null).length
          const map = new Map(findings.map((finding) => [finding.id, finding]))
          for (const change of changes) map.set(change.after.id, change.after)
          findings = [...map.values()]
          expect(isOpen()).toBe(before + entered - left)
          for (const change of changes) {
            const isEntering =
              ['finding.regress', 'finding.reopen'].includes(change.act) ||
              (change.act === 'finding.open' && change.after.closedAt === null)
            expect(isEntering).toBe((change.before === null || change.before.closedAt !== null) && change.after.closedAt === null)
          }
        }
      }),
    )
  })

  test('every change names what it changed, and nothing else, in its audit row', () => {
    const [change] = decideFindings([opened()], judge(tooLate()), options('9:45'))
    expect(change?.audit).toMatchObject({
      before: { status: 'open', kind: 'gap', closedReason: null },
      after: { status: 'verified', kind: 'late', closedReason: 'came_late' },
    })
    expect(change?.audit.after).not.toHaveProperty('owner')
  })
})
