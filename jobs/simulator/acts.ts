import type { Tool } from './outages.ts'
import type { ToolRequest, ToolResponse } from './tool-server.ts'
import { minute } from './times.ts'
import type { World } from './world.ts'
import type { Write } from './writes.ts'

/** How a tool may treat an action other than by doing it and saying so. */
export const disobediences = [
  'nothing', // says that it was done, and does nothing
  'late', // does it `lateMs` after it said so
  'partially', // does a part of it
  'twice',
  'reverts', // does it, and takes it back `revertMs` later
  'error_body', // answers 200 with an error, and does nothing
  'fails', // answers 500, and does nothing
  'fails_after', // does it, and answers 504
  'lost', // does it, and cuts the connection instead of answering
] as const
export type Disobedience = (typeof disobediences)[number]
export const lateMs = 20 * minute
export const revertMs = 30 * minute

export type ActionName = `${Tool}.${string}`

/** One request that a tool took, and what came of it. */
export interface Act {
  readonly action: ActionName
  /** Domain time, epoch ms. */
  readonly at: number
  /** The record it is about; empty where it makes one. */
  readonly target: string
  readonly key: string | null
  /** Ids of what was made or changed: as many as there were effects. */
  readonly effects: readonly string[]
}

/** What one effect comes to. */
export interface Made {
  readonly id: string
  readonly writes: readonly Write[]
  /** What takes it back at that time. */
  undo(at: number): readonly Write[]
  /** Of the answer. */
  readonly body: unknown
}

export interface Deed {
  readonly target: string
  readonly key: string | null
  /** Of a good answer. */
  readonly status: number
  readonly headers?: (made: Made) => Readonly<Record<string, string>>
  /** `nth` 1: the second of two. Null: there is nothing left to do it to. */
  make(at: number, how: { readonly nth: number; readonly isPart: boolean }): Made | null
  /** In the tool's own shape. */
  readonly error: unknown
}

/** What was done through the tools' own APIs: a ledger for tests, and the switches of disobedience. */
export class Acts {
  readonly ledger: Act[] = []
  readonly disobeys = new Map<ActionName, Disobedience>()
  readonly #world: World
  constructor(world: World) {
    this.#world = world
  }

  effectsOf(action: ActionName): readonly string[] {
    return this.ledger.filter((act) => act.action === action).flatMap((act) => act.effects)
  }

  run(action: ActionName, request: ToolRequest, deed: Deed): ToolResponse {
    const { now } = request
    const how = this.disobeys.get(action) ?? null
    const effects: string[] = []
    const make = (at: number, nth = 0, isPart = false): Made | null => {
      const made = deed.make(at, { nth, isPart })
      if (made === null) return null
      effects.push(made.id)
      for (const write of made.writes) this.#world.act(write)
      return made
    }
    const answer = (made: Made | null): ToolResponse => ({
      status: deed.status,
      body: made?.body ?? deed.error,
      ...(made && deed.headers ? { headers: deed.headers(made) } : {}),
    })
    const answered = ((): ToolResponse => {
      switch (how) {
        case null:
          return answer(make(now))
        case 'nothing':
          return answer(deed.make(now, { nth: 0, isPart: false }))
        case 'late':
          return answer(make(now + lateMs))
        case 'partially':
          return answer(make(now, 0, true))
        case 'twice': {
          const made = make(now)
          make(now, 1)
          return answer(made)
        }
        case 'reverts': {
          const made = make(now)
          for (const write of made?.undo(now + revertMs) ?? []) this.#world.act(write)
          return answer(made)
        }
        case 'error_body':
          return { status: 200, body: deed.error }
        case 'fails':
          return { status: 500, body: deed.error }
        case 'fails_after':
          make(now)
          return { status: 504, body: deed.error }
        case 'lost':
          return { ...answer(make(now)), isCut: true }
      }
    })()
    this.ledger.push({ action, at: now, target: deed.target, key: deed.key, effects })
    return answered
  }
}
