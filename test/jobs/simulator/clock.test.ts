import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keepSharedClock, readSharedClock } from '../../../jobs/simulator/clock.ts'

describe('the demo clock', () => {
  let dataDir = ''
  let wallAt = 1_000_000
  const wall = () => wallAt
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'throughline-clock-'))
    wallAt = 1_000_000
  })
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

  it('runs at its speed, and another process reads the same time', () => {
    const keeper = keepSharedClock(dataDir, 5_000, 60, wall)
    const reader = readSharedClock(dataDir, wall)
    wallAt += 2_000
    expect(keeper.now()).toBe(5_000 + 120_000)
    expect(reader.now()).toBe(keeper.now())
    expect(reader.speed()).toBe(60)
  })

  it('stands still at speed zero until it is moved', () => {
    const keeper = keepSharedClock(dataDir, 5_000, 0, wall)
    wallAt += 9_000
    expect(keeper.now()).toBe(5_000)
    keeper.advanceTo(8_000)
    expect(readSharedClock(dataDir, wall).now()).toBe(8_000)
  })

  it('never goes back', () => {
    const keeper = keepSharedClock(dataDir, 5_000, 0, wall)
    keeper.advanceTo(9_000)
    expect(() => keeper.advanceTo(8_000)).toThrow(/only advances/)
    const reader = readSharedClock(dataDir, wall)
    expect(reader.now()).toBe(9_000)
    wallAt -= 60_000
    expect(reader.now()).toBe(9_000)
  })

  it('P19: a machine that slept does not pour out the hours it missed', () => {
    const keeper = keepSharedClock(dataDir, 0, 60, wall)
    wallAt += 6 * 3_600_000
    expect(keeper.now()).toBeLessThanOrEqual(15_000 * 60)
  })

  it('resumes where the last run stopped', () => {
    const first = keepSharedClock(dataDir, 0, 60, wall)
    wallAt += 10_000
    first.beat()
    wallAt += 86_400_000
    expect(keepSharedClock(dataDir, 0, 60, wall).now()).toBe(600_000)
  })

  it('two keepers of one file agree: whoever is ahead is right', () => {
    const one = keepSharedClock(dataDir, 0, 60, wall)
    wallAt += 1_000
    const two = keepSharedClock(dataDir, 0, 60, wall)
    one.beat()
    two.beat()
    expect(two.now()).toBe(one.now())
  })

  it('a missing clock says what to do', () => {
    expect(() => readSharedClock(join(dataDir, 'nowhere'), wall).now()).toThrow(/Start the simulator first/)
  })
})
