import type { Sql } from '../../db/records/bulk.ts'

/** What every seeded finding has unless told otherwise, as SQL over `n`. */
const cells = {
  kind: `'gap'`,
  severity: `(array['critical', 'high', 'medium', 'low'])[1 + n % 4]`,
  status: `'open'`,
  owner: `'care'`,
  expectation: `'booking-confirmed'`,
  object_id: `'bk-' || n`,
  evidence: `'[]'::jsonb`,
  opened_at: `'2026-03-02T08:00:00Z'::timestamptz + n * interval '1 second'`,
}

/** Puts findings beside the pipeline: enough of them to page, export and act on. Each has a component of its own. */
export async function seedFindings(
  sql: Sql,
  workspaceId: number,
  count: number,
  overrides: Partial<Record<keyof typeof cells, string>> = {},
): Promise<void> {
  const cell = { ...cells, ...overrides }
  await sql.unsafe(
    `insert into findings (workspace_id, part, id, fingerprint, component_id, program, program_version, expectation, kind, severity, status,
        owner, owner_reason, object_type, object_id, streams, opened_at, occurred_at, due_at, changed_at, violations, detail, evidence)
     select $1, ('x' || substr(md5('seed' || n), 1, 2))::bit(8)::int % 64, md5('seed' || n)::uuid, md5('print' || n)::uuid,
        md5('seed' || n)::uuid, 'visits', 1, ${cell.expectation}, ${cell.kind}, ${cell.severity}, ${cell.status}, ${cell.owner},
        'No route fits: the default owner of owners.yaml.', 'appointment', ${cell.object_id}, '{texts.rows}', ${cell.opened_at},
        ${cell.opened_at}, ${cell.opened_at} + interval '4 hours', ${cell.opened_at}, 1, '{}'::jsonb, ${cell.evidence}
     from generate_series(1, $2::int) as n`,
    [workspaceId, count],
  )
}
