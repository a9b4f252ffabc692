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
  include (status, severity, owner, kind, program, expectation, opened_at, snoozed_until, claimed_by, claimed_until, subject_id)
  where status in ('open', 'acknowledged', 'acting', 'verifying', 'verification_failed');
create index findings_by_closed on findings (workspace_id, closed_at desc, id) include (status, closed_reason) where closed_at is not null;
