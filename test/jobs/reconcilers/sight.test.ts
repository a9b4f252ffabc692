import { describe, expect, it } from 'vitest'
import type { StreamRow } from '../../../db/records/streams.ts'
import { sightOf } from '../../../jobs/reconcilers/sight.ts'

const row = (name: string, watermark: number | null, lagSeconds = 60): StreamRow => ({
  id: 1,
  connection: 'ehr',
  name,
  title: name,
  lagSeconds,
  fullSweepSeconds: null,
  final: false,
  cursor: null,
  passMode: null,
  passId: null,
  passStartedAt: null,
  sweepId: null,
  shrinkAllowed: false,
  epoch: 0,
  watermark,
  lastCompleteAt: null,
  lastSweepAt: null,
  state: 'ok',
  stateReason: null,
  stateSince: null,
  retryAt: null,
  records: 0,
  setAsideReason: null,
})
const linkedBy = new Map([['ehr.encounters', ['ehr.patients']]])

describe('how far absence counts', () => {
  it('a stream nobody links reaches as far as it was read', () => {
    expect(sightOf([row('patients', 500_000)], linkedBy).get('ehr.patients')).toEqual({ watermark: 500_000, lagMs: 60_000, final: false })
  })

  it('a stream reaches no further than the one that says who its records are about', () => {
    const sight = sightOf([row('encounters', 900_000), row('patients', 500_000)], linkedBy)
    expect(sight.get('ehr.encounters')?.watermark).toBe(500_000)
    const slower = sightOf([row('encounters', 900_000), row('patients', 900_000, 300)], linkedBy).get('ehr.encounters')
    expect((slower?.watermark ?? 0) - (slower?.lagMs ?? 0)).toBe(600_000)
  })

  it('before that one was ever read, or while it is not there, nothing is absent', () => {
    expect(sightOf([row('encounters', 900_000), row('patients', null)], linkedBy).get('ehr.encounters')?.watermark).toBe(null)
    expect(sightOf([row('encounters', 900_000)], linkedBy).get('ehr.encounters')?.watermark).toBe(null)
  })
})
