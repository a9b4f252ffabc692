import type { Sql } from '../../db/client.ts'

export interface RecordShape {
  /** How many findings there are to be. */
  readonly findings: number
  /** Domain time, epoch ms. */
  readonly now: number
}

/**
 * Half a year of a busy workspace, made of what the pipeline found: copies of its findings over the journeys there are, 15 of 100 open,
 * twelve owners, the older the rarer, with what the report counts of them and a day of passes. `owner`: no row-level security.
 */
export async function fillRecord(owner: Sql, workspaceId: number, { findings, now }: RecordShape): Promise<void> {
  const at = new Date(now).toISOString()
  await owner.begin(async (tx) => {
    const [found] = await tx<{ n: number }[]>`select count(*)::int as n from findings`
    const rounds = Math.ceil(findings / Math.max(1, found?.n ?? 0))
    await tx`select setseed(0.5)`
    // Whole rows are copied and only what must differ is set anew, so that this survives new columns.
    await tx`create temp table more on commit drop as
      select f.* from findings f, generate_series(1, ${rounds}) order by random() limit ${findings}`
    await tx`create temp table places on commit drop as
      select row_number() over (order by random()) as n, part, id, component_id, subject_id from journeys limit ${findings}`
    await tx`create temp table dice on commit drop as
      select ctid as row, row_number() over () as n, random() as fate, random() as age, random() as share from more`
    await tx`update more m set id = gen_random_uuid(), fingerprint = gen_random_uuid(), aliases = '{}', journey_id = p.id, part = p.part,
        component_id = p.component_id, subject_id = p.subject_id,
        severity = (array['low', 'medium', 'medium', 'medium', 'high', 'high', 'critical'])[1 + floor(d.share * 7)::int],
        owner = 'owner-' || (1 + floor(power(d.share, 2) * 12)::int),
        kind = case when d.age < 0.1 then 'drift' when d.age < 0.2 then 'unexpected' else m.kind end,
        opened_at = ${at}::timestamptz - interval '180 days' * power(d.age, case when d.fate < 0.15 then 4 else 1.5 end),
        status = case when d.fate < 0.1 then 'open' when d.fate < 0.14 then 'acknowledged' when d.fate < 0.15 then 'verification_failed'
          when d.fate < 0.75 then 'verified' when d.fate < 0.83 then 'false_alarm' when d.fate < 0.9 then 'void' when d.fate < 0.95 then 'waived'
          else 'withdrawn' end,
        waived_until = null, snoozed_until = null, claimed_by = null, claimed_until = null
      from dice d, places p where d.row = m.ctid and p.n = 1 + d.n % (select count(*) from places)`
    await tx`update more set
        due_at = opened_at + case severity when 'critical' then interval '4 hours' when 'high' then interval '1 day' when 'medium' then interval '3 days' else interval '7 days' end,
        closed_at = case when status in ('verified', 'false_alarm', 'void', 'waived', 'withdrawn')
          then least(${at}::timestamptz, opened_at + interval '3 days' * random()) end,
        closed_reason = case status when 'verified' then 'came_late' when 'false_alarm' then 'late_evidence' when 'void' then 'anchor_moved'
          when 'waived' then 'waived' when 'withdrawn' then 'promise_removed' end,
        waived_until = case when status = 'waived' then ${at}::timestamptz + interval '90 days' end,
        snoozed_until = case when status = 'open' and random() < 0.03 then ${at}::timestamptz + interval '7 days' end`
    await tx`update more set changed_at = coalesce(closed_at, opened_at)`
    await tx`delete from findings`
    await tx`insert into findings select * from more`
    await tx`delete from finding_transitions`
    await tx`insert into finding_transitions (workspace_id, finding_id, at, was_open, is_open, entered, ended, program, owner, kind,
        from_program, from_owner, from_kind, about)
      select workspace_id, id, at, was_open, is_open, entered, ended, program, owner, kind, from_program, from_owner, from_kind, about from (
        select workspace_id, id, opened_at as at, 0 as step, false as was_open, true as is_open, 'opened' as entered, null as ended,
          program, owner, kind, null as from_program, null as from_owner, null as from_kind, occurred_at as about from findings
        union all
        select workspace_id, id, closed_at, 1, true, false, null, status, program, owner, kind, program, owner, kind, null
        from findings where closed_at is not null) as known
      order by at, step, id`
    await tx`insert into passes (workspace_id, stream_id, mode, started_at, started_wall, ended_at, outcome, pages, read, changed)
      select s.workspace_id, s.id, case when n % 12 = 0 then 'full' else 'incremental' end, ${at}::timestamptz - interval '1 minute' * n,
        now() - interval '1 minute' * n, ${at}::timestamptz - interval '1 minute' * n + interval '2 seconds',
        case when n % 97 = 0 then 'timeout' else 'complete' end, 1, 120, 3
      from streams s, generate_series(1, 1440) as n where s.workspace_id = ${workspaceId}`
  })
  for (const table of ['findings', 'finding_transitions', 'passes', 'journeys', 'verdicts', 'records', 'events']) {
    await owner`vacuum (analyze) ${owner(table)}`
  }
}
