import { expect, test } from 'vitest'
import { aRecord, at, happened, judge, verdictsOf } from '../../support/facts.ts'
import { aProgram, never, order } from '../../support/program.ts'

const program = aProgram({
  steps: { told: { stream: 'texts.messages' }, stopped: { stream: 'desk.requests' } },
  expectations: [never('told', 'stopped'), order('stopped', 'told')],
})
const told = happened('texts.messages', 'm-1', '10:00')
const statesOf = (facts: Parameters<typeof judge>[0]['facts'], readTo?: Record<string, string | null>) =>
  verdictsOf(judge({ program, facts, now: '12:00', ...(readTo && { readTo }) })).map((verdict) => verdict.state)

test('semantics 15: that nothing forbade it is known only once what could forbid it was read', () => {
  const verdicts = verdictsOf(judge({ program, facts: [told], now: '12:00', readTo: { 'desk.requests': '09:50' } }), 'no-told')
  expect(verdicts).toMatchObject([
    { state: 'unknown', unread: { stream: 'desk.requests', readTo: at('09:50') }, wakes: [{ stream: 'desk.requests', at: at('10:00') }] },
  ])
  expect(statesOf([told], { 'desk.requests': null })[0]).toBe('unknown')
  expect(statesOf([told], { 'desk.requests': '10:01' })[0]).toBe('satisfied')
})

test('semantics 15: one seen only between two reads is not overlooked behind one that surely came later', () => {
  const later = happened('desk.requests', 'r-1', '10:05')
  const between = aRecord('desk.requests', 'r-2', { events: [{ at: '10:10', after: '09:50', status: 'done' }] })
  expect(statesOf([told, later])).toEqual(['satisfied', 'violated'])
  expect(statesOf([told, later, between])).toEqual(['unknown', 'unknown'])
})
