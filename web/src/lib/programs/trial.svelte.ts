import { api } from '../api.ts'
import type { Mistake, ProgramPlan } from '../api-types.ts'
import { Problem, unreachable } from '../problem.ts'

const storageKey = (program: string) => `throughline.draft.${program}`

/** A draft is kept in this tab until it is applied or discarded; nothing of it is in the record. */
export const drafts = {
  read(program: string): string | null {
    try {
      return sessionStorage.getItem(storageKey(program))
    } catch {
      return null
    }
  },
  write(program: string, source: string | null): void {
    try {
      if (source === null) sessionStorage.removeItem(storageKey(program))
      else sessionStorage.setItem(storageKey(program), source)
    } catch {
      // A browser that keeps nothing keeps no drafts either.
    }
  },
}

/** A change of one program that is being tried: its mistakes, what it would do to the last days, and whether that was said of this very text. */
export class Trial {
  readonly program: string
  source = $state('')
  days = $state(30)
  mistakes = $state.raw<readonly Mistake[]>([])
  isChecking = $state(false)
  isPlanning = $state(false)
  plan = $state.raw<ProgramPlan>()
  problem = $state.raw<Problem>()
  #planned = $state('')
  #checking: AbortController | undefined
  #planning: AbortController | undefined

  constructor(program: string, source: string) {
    this.program = program
    this.source = source
  }

  /** The text or the time was changed since the plan was made. */
  get isStale(): boolean {
    return this.plan !== undefined && this.#planned !== this.#mark
  }
  get #mark(): string {
    return `${this.days}\n${this.source}`
  }

  async check(): Promise<void> {
    this.#checking?.abort()
    const running = new AbortController()
    this.#checking = running
    this.isChecking = true
    try {
      const { mistakes } = await api.checkProgram(this.program, this.source, running.signal)
      if (!running.signal.aborted) this.mistakes = mistakes
    } catch (cause) {
      // What cannot be checked is told when it is planned.
      if (running.signal.aborted) return
      this.mistakes = []
      if (cause instanceof Problem && cause.status === 400) this.problem = cause
    } finally {
      if (!running.signal.aborted) this.isChecking = false
    }
  }

  async preview(): Promise<void> {
    this.#planning?.abort()
    const running = new AbortController()
    this.#planning = running
    const mark = this.#mark
    this.isPlanning = true
    this.problem = undefined
    try {
      const plan = await api.planProgram(this.program, { source: this.source, days: this.days }, running.signal)
      if (running.signal.aborted) return
      this.plan = plan
      this.#planned = mark
    } catch (cause) {
      if (running.signal.aborted) return
      this.problem = cause instanceof Problem ? cause : unreachable(cause)
    } finally {
      if (!running.signal.aborted) this.isPlanning = false
    }
  }

  /** Exactly what was planned. @throws Problem: 409 when someone was first. */
  async apply(): Promise<{ version: number }> {
    if (this.plan === undefined) throw new Problem(0, 'unplanned', 'Preview the change first.', null)
    return api.applyProgram(this.program, { source: this.source, plan: this.plan.plan })
  }

  forget(): void {
    this.#planning?.abort()
    this.plan = undefined
    this.problem = undefined
    this.isPlanning = false
  }

  stop(): void {
    this.#checking?.abort()
    this.#planning?.abort()
  }
}
