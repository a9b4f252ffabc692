import { integer, jsonb, pgTable, primaryKey, smallint, text } from 'drizzle-orm/pg-core'
import { hash, instant } from './columns.ts'
import type { FindingStatus, Severity } from './words.ts'

export interface EvidenceRow {
  readonly role: 'anchor' | 'expected' | 'observed' | 'culprit' | 'side' | 'read'
  readonly stream: string
  readonly externalId: string
  readonly recordId: string
  readonly eventType: string | null
  readonly status: string | null
  readonly occurredAt: number | null
  readonly updatedAt: number | null
  readonly observedAt: number | null
  readonly actor: { readonly kind: string; readonly id: string | null } | null
}

export const findings = pgTable(
  'findings',
  {
    workspaceId: integer('workspace_id').notNull(),
    part: smallint().notNull(),
    id: hash().notNull(),
    fingerprint: hash().notNull(),
    aliases: hash().array().notNull(),
    componentId: hash('component_id').notNull(),
    program: text(),
    programVersion: integer('program_version'),
    expectation: text().notNull(),
    kind: text().notNull(),
    severity: text().$type<Severity>().notNull(),
    status: text().$type<FindingStatus>().notNull(),
    owner: text().notNull(),
    ownerReason: text('owner_reason').notNull(),
    subjectId: hash('subject_id'),
    journeyId: hash('journey_id'),
    objectType: text('object_type'),
    objectId: text('object_id'),
    site: text(),
    streams: text().array().notNull(),
    openedAt: instant('opened_at').notNull(),
    occurredAt: instant('occurred_at'),
    deadlineAt: instant('deadline_at'),
    dueAt: instant('due_at').notNull(),
    changedAt: instant('changed_at').notNull(),
    closedAt: instant('closed_at'),
    closedReason: text('closed_reason'),
    closingEvidenceAt: instant('closing_evidence_at'),
    closingEvidence: jsonb('closing_evidence').$type<readonly EvidenceRow[]>(),
    waivedUntil: instant('waived_until'),
    snoozedUntil: instant('snoozed_until'),
    claimedBy: text('claimed_by'),
    claimedUntil: instant('claimed_until'),
    violations: integer().notNull(),
    occurrences: integer().notNull(),
    regressions: integer().notNull(),
    detail: jsonb().$type<Readonly<Record<string, string | number | boolean | null>>>().notNull(),
    evidence: jsonb().$type<readonly EvidenceRow[]>().notNull(),
    revision: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.part, table.id] })],
)

export type FindingRow = typeof findings.$inferSelect
