-- One execution of a runbook on one finding. Times of the domain clock are *_at, of the wall clock *_wall and lease_until, next_wall.
create table runs (
  workspace_id integer not null,
  id uuid not null,
  part smallint not null,
  finding_id uuid not null,
  runbook text not null,
  runbook_version integer not null,
  state text not null,
  -- Steps with resolved inputs (ids, amounts), and what the tools showed when it was asked for: what an approval is bound to by its hash.
  plan jsonb not null,
  hash text not null,
  reason text,
  requested_by text not null,
  requested_at timestamptz not null,
  requested_wall timestamptz not null,
  -- The Idempotency-Key of the request and the digest of its body.
  request_key text,
  request_digest text,
  -- The step at work.
  position integer not null default 0,
  -- Who works on it: a process whose token is not the newest writes nothing.
  lease_token integer not null default 0,
  lease_until timestamptz,
  -- When there is something to do; null: it waits for a person, or has ended.
  next_wall timestamptz,
  verify_ms bigint not null,
  verify_until timestamptz,
  message text,
  ended_at timestamptz,
  revision integer not null default 1,
  primary key (workspace_id, id)
);
-- At most one active run per finding, whoever asks and however often.
create unique index runs_active on runs (workspace_id, finding_id) where ended_at is null;
create unique index runs_by_request on runs (workspace_id, requested_by, request_key) where request_key is not null;
create index runs_due on runs (workspace_id, next_wall) where next_wall is not null;
create index runs_latest on runs (workspace_id, requested_at desc, id);
create index runs_by_finding on runs (workspace_id, finding_id, requested_at desc);
create index runs_by_runbook on runs (workspace_id, runbook, requested_at desc);

create table run_steps (
  workspace_id integer not null,
  run_id uuid not null,
  position integer not null,
  key text not null,
  state text not null,
  -- Stored before the first attempt and the same in every later one; since: domain time of that attempt.
  idempotency_key text,
  since timestamptz,
  attempts integer not null default 0,
  -- Looks for the effect of an attempt whose answer was lost.
  look_ups integer not null default 0,
  message text,
  evidence jsonb,
  -- When a read taken after the attempt showed the effect, domain time.
  shown_at timestamptz,
  amount_minor bigint,
  currency text,
  -- Of the runbook whose daily limit it counts for.
  runbook text not null,
  started_at timestamptz,
  ended_at timestamptz,
  primary key (workspace_id, run_id, position)
);
create index run_steps_by_day on run_steps (workspace_id, runbook, started_at) where started_at is not null;

create table run_attempts (
  workspace_id integer not null,
  run_id uuid not null,
  position integer not null,
  attempt integer not null,
  token integer not null,
  started_wall timestamptz not null,
  ended_wall timestamptz,
  outcome text,
  message text,
  primary key (workspace_id, run_id, position, attempt)
);

-- A named person's consent, bound to the hash of the exact inputs and preconditions.
create table approvals (
  workspace_id integer not null,
  id uuid not null,
  run_id uuid not null,
  hash text not null,
  state text not null,
  requested_by text not null,
  requested_at timestamptz not null,
  expires_wall timestamptz not null,
  decided_by text,
  decided_at timestamptz,
  reason text,
  primary key (workspace_id, id)
);
create unique index approvals_waiting on approvals (workspace_id, run_id) where state = 'waiting';
create index approvals_latest on approvals (workspace_id, requested_at desc, id);

do $$
declare name text;
begin
  foreach name in array array['runs', 'run_steps', 'run_attempts', 'approvals'] loop
    execute format('alter table %I enable row level security', name);
    execute format($p$create policy workspace on %I using (workspace_id = current_setting('throughline.workspace')::integer)
      with check (workspace_id = current_setting('throughline.workspace')::integer)$p$, name);
    execute format('grant select, insert, update on %I to throughline_app', name);
  end loop;
end $$;
