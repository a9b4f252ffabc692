-- What the daily gap report counts (semantics.md 23): one row per change of a finding that opens, ends or transfers it, written in the
-- change's own transaction after the finding's row. Never changed afterwards.
create table finding_transitions (
  workspace_id integer not null,
  n bigint generated always as identity,
  finding_id uuid not null,
  -- Domain time of the change.
  at timestamptz not null,
  was_open boolean not null,
  is_open boolean not null,
  -- opened, regressed, reopened or waiver_expired
  entered text,
  -- The status it ended with. Without `entered` or `was_open`: another ending than it had.
  ended text,
  program text,
  owner text not null,
  site text,
  kind text not null,
  -- What they were before; null of a finding that was not there.
  from_program text,
  from_owner text,
  from_site text,
  from_kind text,
  -- When what the change is about happened, where that is known.
  about timestamptz,
  primary key (workspace_id, n)
);
create index finding_transitions_by_time on finding_transitions (workspace_id, at, n);
create index finding_transitions_by_finding on finding_transitions (workspace_id, finding_id, n);

-- The closed day. It holds the transitions numbered below before_n and recorded before ends_at that no earlier day holds, so what is
-- written about a closed day later counts on the next one.
create table reports (
  workspace_id integer not null,
  day date not null,
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  closed_at timestamptz not null,
  before_n bigint not null,
  summary jsonb not null,
  body jsonb not null,
  primary key (workspace_id, day)
);

-- One row per mail and webhook of a day. Times are wall times. No address: those are configuration.
create table report_deliveries (
  workspace_id integer not null,
  day date not null,
  channel text not null,
  target text not null,
  state text not null,
  message_id text not null,
  attempts integer not null default 0,
  next_at timestamptz,
  claimed_until timestamptz,
  sent_at timestamptz,
  reason text,
  primary key (workspace_id, day, channel, target)
);
create index report_deliveries_due on report_deliveries (workspace_id, next_at) where next_at is not null;

do $$
declare name text;
begin
  foreach name in array array['finding_transitions', 'reports', 'report_deliveries'] loop
    execute format('alter table %I enable row level security', name);
    execute format($p$create policy workspace on %I using (workspace_id = current_setting('throughline.workspace')::integer)
      with check (workspace_id = current_setting('throughline.workspace')::integer)$p$, name);
  end loop;
  grant select, insert on finding_transitions, reports to throughline_app;
  grant select, insert, update on report_deliveries to throughline_app;
  execute format('grant usage on sequence %s to throughline_app', pg_get_serial_sequence('finding_transitions', 'n'));
end $$;

-- Findings of before: when they were found and when they ended is all that is known of them.
insert into finding_transitions (workspace_id, finding_id, at, was_open, is_open, entered, ended, program, owner, kind,
  from_program, from_owner, from_kind, about)
select workspace_id, id, at, was_open, is_open, entered, ended, program, owner, kind, from_program, from_owner, from_kind, about from (
  select workspace_id, id, opened_at as at, 0 as step, false as was_open, true as is_open, 'opened' as entered, null as ended,
    program, owner, kind, null as from_program, null as from_owner, null as from_kind, occurred_at as about
  from findings
  union all
  select workspace_id, id, greatest(closed_at, opened_at), 1, true, false, null, status,
    program, owner, kind, program, owner, kind, closing_evidence_at
  from findings where closed_at is not null and status in ('verified', 'waived', 'false_alarm', 'void', 'withdrawn')) as known
order by at, step, id;
