-- Counts over tables too large to count on every request, as of a time that is always shown with them. `counts` has one shape per name.
create table tallies (
  workspace_id integer not null,
  name text not null,
  counts jsonb not null,
  -- Domain time they are true for, wall time they were made at, and how long that took.
  as_of timestamptz not null,
  counted_at timestamptz not null default now(),
  took_ms integer not null,
  primary key (workspace_id, name)
);
alter table tallies enable row level security;
create policy workspace on tallies using (workspace_id = current_setting('throughline.workspace')::integer)
  with check (workspace_id = current_setting('throughline.workspace')::integer);
grant select, insert, update, delete on tallies to throughline_app;

-- What is open, with all that an overview and the facets of the list count: one look at an index.
create index findings_standing on findings (workspace_id, due_at, id)
  include (status, severity, owner, kind, program, expectation, site, streams, opened_at, snoozed_until, claimed_by, claimed_until, subject_id)
  where status in ('open', 'acknowledged', 'acting', 'verifying', 'verification_failed');
-- The same of all findings there ever were: what the list counts with any filter.
create index findings_counted on findings (workspace_id, status, closed_at)
  include (kind, severity, owner, program, expectation, site, streams, opened_at, due_at, snoozed_until, closed_reason);

-- One index per order of the list (db/records/findings.ts); by opening there is one. The expressions are those of its sort keys.
create index findings_by_due on findings (workspace_id, due_at, id);
create index findings_by_change on findings (workspace_id, changed_at desc, id);
create index findings_by_occurrence on findings (workspace_id, coalesce(occurred_at, opened_at) desc, id);
create index findings_by_ending on findings (workspace_id, coalesce(closed_at, 'epoch') desc, id) include (closed_at, status, closed_reason);
create index findings_by_severity on findings
  (workspace_id, array_position(array['critical', 'high', 'medium', 'low'], severity), due_at, id);
