import { describe, expect, it } from 'vitest'
import type { StreamSight } from '../../../jobs/domain/decide-stream-findings.ts'
import { decideStreamFindings } from '../../../jobs/domain/decide-stream-findings.ts'
import type { Finding } from '../../../jobs/domain/finding.ts'
import { findingKindByName } from '../../../jobs/domain/finding-kinds/index.ts'
import { plainNames } from '../../../jobs/domain/finding-kinds/words.ts'
import { applied, at } from './findings-support.ts'

const hour = 3_600_000
function sight(stream: string, rest: Partial<StreamSight> = {}): StreamSight {
  return {
    connection: stream.split('.')[0] ?? stream,
    connectionTitle: 'Tool',
    connectionOwner: 'billing-team',
    stream,
    blindAfterMs: hour,
    lastCompleteAt: at('9:00'),
    knownSince: at('8:00'),
    lastSweepAt: at('9:00'),
    exempt: false,
    stateReason: null,
    drifts: [],
    ...rest,
  }
}
const options = (now: string) => ({ now: at(now), routing: { routes: [], default: 'care-operations' }, workspaceKey: 'acme' })
const decide = (sights: readonly StreamSight[], existing: readonly Finding[], now: string) =>
  applied(existing, decideStreamFindings(sights, existing, options(now)))
const drift = (path: string, seen: string) => ({ path, what: 'new', firstSeenAt: at(seen), lastSeenAt: at(seen) })

describe('blind', () => {
  it('nothing while every stream was read within the time allowed', () => {
    expect(decideStreamFindings([sight('billing.charges')], [], options('10:00'))).toEqual([])
  })

  it('one finding per connection, with its streams named and its owner asked', () => {
    const findings = decide(
      [sight('billing.charges'), sight('billing.refunds'), sight('texts.messages', { lastCompleteAt: at('9:50') })],
      [],
      '10:01',
    )
    expect(findings).toHaveLength(1)
    expect(findings[0]).toMatchObject({
      kind: 'blind',
      program: null,
      owner: 'billing-team',
      streams: ['billing.charges', 'billing.refunds'],
      occurredAt: at('10:00'),
      status: 'open',
    })
    expect(findingKindByName.get('blind')?.sentence(findings[0]?.detail ?? {}, plainNames)).toBe(
      'Billing was not completely read for longer than 1 hour: charges, refunds.',
    )
  })

  it('a stream never read counts from when we began to try', () => {
    expect(decide([sight('billing.charges', { lastCompleteAt: null, knownSince: at('9:30') })], [], '10:30')).toEqual([])
    expect(decide([sight('billing.charges', { lastCompleteAt: null, knownSince: at('9:30') })], [], '10:31')).toHaveLength(1)
  })

  it('a finished export or a paused connection is never blind', () => {
    expect(decide([sight('billing.charges', { exempt: true })], [], '23:00')).toEqual([])
  })

  it('closes as verified with the read as evidence, and regresses as the same finding', () => {
    const open = decide([sight('billing.charges')], [], '10:30')
    const closed = decide([sight('billing.charges', { lastCompleteAt: at('10:40') })], open, '10:41')
    expect(closed).toMatchObject([
      { status: 'verified', closedReason: 'read_again', closingEvidenceAt: at('10:40'), closingEvidence: [{ role: 'read' }] },
    ])
    const again = decide([sight('billing.charges', { lastCompleteAt: at('10:40') })], closed, '11:41')
    expect(again).toMatchObject([{ id: open[0]?.id, status: 'open', regressions: 1, owner: 'billing-team' }])
  })

  it('stays open while one of its streams is still unread, and names only that', () => {
    const open = decide([sight('billing.charges'), sight('billing.refunds')], [], '10:30')
    const half = decide([sight('billing.charges', { lastCompleteAt: at('10:40') }), sight('billing.refunds')], open, '10:41')
    expect(half).toMatchObject([{ status: 'open', streams: ['billing.refunds'] }])
  })

  it('is withdrawn when the connection is no longer configured', () => {
    expect(decide([], decide([sight('billing.charges')], [], '10:30'), '10:31')).toMatchObject([{ status: 'withdrawn' }])
  })

  it('deciding again changes nothing', () => {
    const open = decide([sight('billing.charges')], [], '10:30')
    expect(decideStreamFindings([sight('billing.charges')], open, options('10:35'))).toEqual([])
  })
})

describe('rows set aside', () => {
  const reason = '1 row of texts.messages was set aside (line 17: a quote is opened and never closed); mend it.'
  const withheld = (rest: Partial<StreamSight> = {}) =>
    sight('texts.messages', { lastCompleteAt: at('10:00'), setAsideReason: reason, setAsideSince: at('10:00'), ...rest })

  it('are blind at once, however freshly the stream was read, and say which row and what to do', () => {
    const findings = decide([withheld()], [], '10:00')
    expect(findings).toMatchObject([{ kind: 'blind', status: 'open', streams: ['texts.messages'], occurredAt: at('10:00') }])
    expect(findingKindByName.get('blind')?.sentence(findings[0]?.detail ?? {}, plainNames)).toBe(reason)
  })

  it('also of a finished export', () => {
    expect(decide([withheld({ exempt: true })], [], '10:00')).toMatchObject([{ kind: 'blind' }])
  })

  it('say so when there are more of them, and close once there are none', () => {
    const open = decide([withheld()], [], '10:00')
    expect(decideStreamFindings([withheld()], open, options('10:01'))).toEqual([])
    const more = decide([withheld({ setAsideReason: '2 rows were set aside.' })], open, '10:02')
    expect(more).toMatchObject([{ status: 'open', detail: { setAside: '2 rows were set aside.' } }])
    expect(decide([withheld({ setAsideReason: null, setAsideSince: null, lastCompleteAt: at('10:03') })], more, '10:03')).toMatchObject([
      { status: 'verified', closedReason: 'read_again' },
    ])
  })
})

describe('schema_drift', () => {
  const drifting = (paths: string[], rest: Partial<StreamSight> = {}) =>
    sight('billing.charges', { lastCompleteAt: at('11:00'), drifts: paths.map((path) => drift(path, '10:00')), ...rest })

  it('one finding per stream, with paths only', () => {
    const [finding, ...others] = decide([drifting(['data[].refund', 'data[].state'])], [], '11:00')
    expect(others).toEqual([])
    expect(finding).toMatchObject({
      kind: 'schema_drift',
      violations: 2,
      occurredAt: at('10:00'),
      detail: { paths: 'data[].refund (new), data[].state (new)' },
    })
  })

  it('another path updates it; a complete reading that met none closes it as verified', () => {
    const open = decide([drifting(['a'])], [], '11:00')
    const more = decide([drifting(['a', 'b'])], open, '11:01')
    expect(more).toMatchObject([{ id: open[0]?.id, violations: 2, status: 'open' }])
    expect(decide([drifting([])], more, '11:02')).toMatchObject([{ status: 'verified', closedReason: 'swept_clean' }])
  })

  it('a person who accepted these paths is asked again only about others', () => {
    const [open] = decide([drifting(['a'])], [], '11:00')
    const accepted = {
      ...open!,
      status: 'false_alarm' as const,
      closedReason: 'person',
      closedAt: at('11:10'),
      closingEvidenceAt: at('11:10'),
    }
    const later = (path: string) => [
      ...drifting(['a']).drifts.map((one) => ({ ...one, lastSeenAt: at('12:00') })),
      ...(path ? [drift(path, '12:00')] : []),
    ]
    expect(decideStreamFindings([drifting([], { lastCompleteAt: at('12:00'), drifts: later('') })], [accepted], options('12:00'))).toEqual(
      [],
    )
    expect(
      decideStreamFindings([drifting([], { lastCompleteAt: at('12:00'), drifts: later('b') })], [accepted], options('12:00')),
    ).toMatchObject([{ act: 'finding.regress' }])
  })
})

describe('the sentence of every kind', () => {
  it('is a sentence with whatever detail there is, and with none', () => {
    for (const kind of findingKindByName.values()) {
      expect(kind.sentence({}, plainNames)).toMatch(/^[“A-Z0-9].*\.$/)
      expect(kind.sentence({ expect: 'confirmed', after: 'booked', withinMs: 900_000, lateByMs: 90_000 }, plainNames)).not.toMatch(
        /undefined|null|NaN/,
      )
    }
  })
})
