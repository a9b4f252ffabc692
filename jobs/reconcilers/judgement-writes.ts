import type { Tx } from '../../db/records/bulk.ts'
import { sealActs } from '../../db/records/audit.ts'
import { tellJourneys } from '../../db/records/feed.ts'
import { writeFindingChanges } from '../../db/records/finding-changes.ts'
import {
  aliasSubjects,
  type JourneyRow,
  replaceJourneys,
  replaceSubjects,
  replaceVerdicts,
  type SubjectRow,
  type VerdictRow,
} from '../../db/records/judgement.ts'
import { replaceDue } from '../../db/records/marks.ts'
import type { Finding, FindingChange } from '../domain/finding.ts'
import type { ComponentJudgement } from '../domain/judge-component.ts'

/** Collects what differs from the stored rows, so that judging an unchanged component writes nothing. */
export class Writes {
  readonly #goneSubjects: SubjectRow[] = []
  readonly #subjects: SubjectRow[] = []
  readonly #aliases: { alias: string; subject: string; cause: string }[] = []
  readonly #goneJourneys: JourneyRow[] = []
  readonly #journeys: JourneyRow[] = []
  readonly #goneVerdicts: VerdictRow[] = []
  readonly #verdicts: VerdictRow[] = []
  readonly #due: { componentId: string; gate: number; at: number }[] = []
  readonly #findings: { componentId: string; change: FindingChange }[] = []
  readonly #moved: { componentId: string; findingId: string; from: string }[] = []

  get findingCount(): number {
    return this.#findings.length
  }

  subjects(
    before: readonly SubjectRow[],
    after: readonly SubjectRow[],
    aliases: readonly { alias: string; subject: string; cause: string }[],
  ): void {
    const rowKey = (row: SubjectRow) => `${row.componentId}${row.id}`
    const kept = new Map(before.map((row) => [rowKey(row), row]))
    for (const row of after) {
      const old = kept.get(rowKey(row))
      kept.delete(rowKey(row))
      if (old === undefined || old.fingerprint !== row.fingerprint || JSON.stringify(old.links) !== JSON.stringify(row.links))
        this.#subjects.push(row)
    }
    this.#goneSubjects.push(...kept.values())
    this.#aliases.push(...aliases)
  }

  journeys(before: readonly JourneyRow[], after: readonly JourneyRow[]): void {
    const rowKey = (row: JourneyRow) => `${row.componentId}${row.id}`
    const kept = new Map(before.map((row) => [rowKey(row), row]))
    for (const row of after) {
      const old = kept.get(rowKey(row))
      kept.delete(rowKey(row))
      if (old === undefined || !sameFields(old, row)) this.#journeys.push(row)
    }
    this.#goneJourneys.push(...kept.values())
  }

  verdicts(before: readonly VerdictRow[], after: readonly VerdictRow[]): void {
    const rowKey = (row: VerdictRow) => `${row.componentId}${row.activation}${row.program}\0${row.expectation}`
    const kept = new Map(before.map((row) => [rowKey(row), row]))
    for (const row of after) {
      const old = kept.get(rowKey(row))
      kept.delete(rowKey(row))
      if (old === undefined || !sameFields(old, row)) this.#verdicts.push(row)
    }
    this.#goneVerdicts.push(...kept.values())
  }

  findings(
    component: string,
    before: readonly { readonly componentId: string; readonly finding: Finding }[],
    changes: readonly FindingChange[],
  ): void {
    for (const change of changes) this.#findings.push({ componentId: component, change })
    for (const row of before) {
      if (row.componentId !== component) this.#moved.push({ componentId: component, findingId: row.finding.id, from: row.componentId })
    }
  }

  due(component: string, judgement: ComponentJudgement, gateOf: ReadonlyMap<string, number>): void {
    const earliest = new Map<number, number>()
    for (const { stream, at } of judgement.wakes) {
      const gate = stream === null ? 0 : gateOf.get(stream)
      if (gate === undefined) continue
      const known = earliest.get(gate)
      if (known === undefined || at < known) earliest.set(gate, at)
    }
    // A stream is never read past the clock: a later wake of a stream is set anew when the clock's has passed.
    const clock = earliest.get(0) ?? Number.POSITIVE_INFINITY
    for (const [gate, at] of earliest) if (gate === 0 || at < clock) this.#due.push({ componentId: component, gate, at })
  }

  /** Those whose page shows something else now: their own row, or how one of their promises stands. */
  #changedJourneys(): ReadonlySet<string> {
    const changed = new Set<string>()
    for (const { id } of this.#goneJourneys) changed.add(id)
    for (const { id } of this.#journeys) changed.add(id)
    for (const { journeyId } of this.#goneVerdicts) if (journeyId !== null) changed.add(journeyId)
    for (const { journeyId } of this.#verdicts) if (journeyId !== null) changed.add(journeyId)
    return changed
  }

  async apply(tx: Tx, workspaceId: number, components: readonly string[], now: number): Promise<void> {
    await replaceSubjects(tx, workspaceId, this.#goneSubjects, this.#subjects)
    await aliasSubjects(tx, workspaceId, this.#aliases, now)
    await replaceJourneys(tx, workspaceId, this.#goneJourneys, this.#journeys)
    await replaceVerdicts(tx, workspaceId, this.#goneVerdicts, this.#verdicts)
    await replaceDue(tx, workspaceId, components, this.#due)
    await writeFindingChanges(tx, workspaceId, this.#moved, this.#findings, now)
    await tellJourneys(tx, workspaceId, this.#changedJourneys(), now)
    await sealActs(tx)
  }
}

function sameFields<T extends object>(a: T, b: T): boolean {
  for (const key of Object.keys(b) as (keyof T)[]) if (a[key] !== b[key]) return false
  return true
}
