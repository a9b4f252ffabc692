import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'

/** Anything that tells the domain time, epoch ms. The engine's `Clock` has the same shape. */
export interface SimulatedClock {
  now(): number
}

/** now = simAt + (wall − wallAt) × speed, but never past `graceMs` of wall time after the last beat: an unattended clock stands still. */
interface ClockState {
  readonly simAt: number
  readonly wallAt: number
  readonly speed: number
}

const stateSchema = z.object({ simAt: z.number(), wallAt: z.number(), speed: z.number().min(0).max(3600) })
const graceMs = 15_000
export const defaultSpeed = 60

export const clockFile = (dataDir: string) => join(dataDir, 'demo-clock.json')

function readState(path: string): ClockState | null {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return null
  }
}

function timeAt(state: ClockState, wall: number): number {
  return Math.floor(state.simAt + Math.min(Math.max(wall - state.wallAt, 0), graceMs) * state.speed)
}

/** The demo's clock as another process sees it. It follows the file the simulator beats, and never goes back. */
export interface SharedClock extends SimulatedClock {
  speed(): number
}

export function readSharedClock(dataDir: string, wall: () => number = Date.now): SharedClock {
  const path = clockFile(dataDir)
  let state: ClockState | null = null
  let readAt = Number.NEGATIVE_INFINITY
  let last = 0
  const refresh = () => {
    const at = wall()
    if (state !== null && at - readAt < 250 && at >= readAt) return
    readAt = at
    state = readState(path) ?? state
    if (state === null) throw new Error(`The demo clock ${path} is missing. Start the simulator first.`)
  }
  return {
    now() {
      refresh()
      if (state !== null) last = Math.max(last, timeAt(state, wall()))
      return last
    },
    speed() {
      refresh()
      return state?.speed ?? 0
    },
  }
}

/** The simulator's side: keeps the file fresh, sets the speed, and resumes where the last run stopped. */
export interface ClockKeeper extends SharedClock {
  beat(): void
  setSpeed(speed: number): void
  /** Moves the clock forward to `at`; going back is refused. */
  advanceTo(at: number): void
}

export function keepSharedClock(dataDir: string, firstStart: number, speed = defaultSpeed, wall: () => number = Date.now): ClockKeeper {
  const path = clockFile(dataDir)
  mkdirSync(dirname(path), { recursive: true })
  const earlier = readState(path)
  // A pause of the machine or of the demo must not pour days of events out at once: the clock resumes from its last beat.
  let state: ClockState = {
    simAt: earlier ? timeAt(earlier, earlier.wallAt) : firstStart,
    wallAt: wall(),
    speed: stateSchema.shape.speed.parse(speed),
  }
  const write = (next: ClockState) => {
    state = next
    writeFileSync(`${path}.tmp`, JSON.stringify(state))
    renameSync(`${path}.tmp`, path)
  }
  write(state)
  const now = () => timeAt(state, wall())
  const rebase = (change: Partial<ClockState>) => {
    // Another simulator may keep the same file: whoever is ahead is right.
    const other = readState(path)
    const simAt = Math.max(now(), other === null ? 0 : timeAt(other, wall()))
    write({ simAt, wallAt: wall(), speed: state.speed, ...change })
  }
  return {
    now,
    speed: () => state.speed,
    beat: () => rebase({}),
    setSpeed: (value) => rebase({ speed: stateSchema.shape.speed.parse(value) }),
    advanceTo(at) {
      if (at < now())
        throw new Error(`The demo clock only advances: ${new Date(at).toISOString()} is before ${new Date(now()).toISOString()}.`)
      rebase({ simAt: at })
    },
  }
}

/** For tests and scores: stands still until it is moved. */
export function manualClock(at: number): SimulatedClock & { advanceTo(at: number): void } {
  let current = at
  return {
    now: () => current,
    advanceTo(next) {
      if (next < current) throw new Error('The clock only advances.')
      current = next
    },
  }
}
