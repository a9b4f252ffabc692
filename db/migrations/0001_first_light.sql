-- Conventions: every row has its workspace; big tables have an immutable part (see engine.md); 128-bit hashes are uuid columns;
-- events hold the history, records the current state. No triggers, nothing unique across parts.

create table workspaces (
  id integer generated always as identity primary key,
  key text not null unique,
  title text not null,
  time_zone text not null default 'UTC',
  created_at timestamptz not null default now()
);

create table connections (
  workspace_id integer not null references workspaces (id),
  id text not null,
  connector text not null,
  title text not null,
  config jsonb not null default '{}',
  enabled boolean not null default true,
  poll_seconds integer not null,
  blind_after_seconds integer not null,
  owner text,
  checked_at timestamptz,
  check_result jsonb,
  primary key (workspace_id, id)
);

create table streams (
  workspace_id integer not null,
  id integer generated always as identity,
  connection text not null,
  name text not null,
  title text not null,
  lag_seconds integer not null,
  full_sweep_seconds integer,
  final boolean not null default false,
  cursor jsonb,
  pass_mode text,
  pass_id bigint,
  sweep_id text,
  shrink_allowed boolean not null default false,
  known_since timestamptz not null,
  epoch bigint not null default 0,
  watermark timestamptz,
  pass_started_at timestamptz,
  last_complete_at timestamptz,
  last_sweep_at timestamptz,
  state text not null default 'new',
  state_reason text,
  state_since timestamptz,
  retry_at timestamptz,
  clock_skew_ms bigint,
  records bigint not null default 0,
  primary key (workspace_id, id),
  unique (workspace_id, connection, name),
  foreign key (workspace_id, connection) references connections (workspace_id, id)
);

-- One row per pass over a stream: the freshness strip, and which windows were read completely.
create table passes (
  workspace_id integer not null,
  id bigint generated always as identity,
  stream_id integer not null,
  mode text not null,
  started_at timestamptz not null,
  started_wall timestamptz not null default now(),
  ended_at timestamptz,
  outcome text not null default 'running',
  message text,
  pages integer not null default 0,
  read integer not null default 0,
  changed integer not null default 0,
  quarantined integer not null default 0,
  covered_from timestamptz,
  covered_to timestamptz,
  primary key (workspace_id, id)
);
create index passes_by_stream on passes (workspace_id, stream_id, started_at desc);

create table quarantine (
  workspace_id integer not null,
  stream_id integer not null,
  raw_hash text not null,
  location text not null,
  reason text not null,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  times integer not null default 1,
  primary key (workspace_id, stream_id, raw_hash)
);

create table drifts (
  workspace_id integer not null,
  stream_id integer not null,
  path text not null,
  what text not null,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  primary key (workspace_id, stream_id, path, what)
);

create table records (
  workspace_id integer not null,
  part smallint not null,
  id uuid not null,
  stream_id integer not null,
  component_id uuid not null,
  external_id text not null,
  updated_at timestamptz not null,
  observed_at timestamptz not null,
  version text,
  content_hash uuid not null,
  status text,
  ops jsonb,
  objects jsonb,
  role smallint not null,
  keys jsonb,
  deleted_at timestamptz,
  primary key (workspace_id, part, id)
);
create index records_by_component on records (workspace_id, component_id);

create table events (
  workspace_id integer not null,
  part smallint not null,
  record_id uuid not null,
  occurred_at timestamptz not null,
  type text not null,
  occurred_after timestamptz,
  updated_at timestamptz not null,
  observed_at timestamptz not null,
  status text,
  ops jsonb,
  actor_kind smallint not null,
  actor_id text,
  seq integer not null default 0,
  primary key (workspace_id, part, record_id, occurred_at, type)
);

-- Which records the running full sweep has seen; what it has not seen when it ends is deleted in the tool.
create table sweep_seen (
  workspace_id integer not null,
  stream_id integer not null,
  sweep_id text not null,
  record_id uuid not null,
  primary key (workspace_id, stream_id, sweep_id, record_id)
);

-- A component is a group of records that share keys: the unit of linking and judging. It may be too wide, never too narrow.
create table components (
  workspace_id integer not null,
  part smallint not null,
  id uuid not null,
  merged_into uuid,
  primary key (workspace_id, part, id)
);
create index components_merged on components (workspace_id, merged_into) where merged_into is not null;

-- token → component. `first_names` gathers up to five distinct veto tokens: past four the key is hot and links nothing.
create table identifiers (
  workspace_id integer not null,
  part smallint not null,
  token uuid not null,
  component_id uuid not null,
  first_names text[] not null default '{}',
  hot boolean not null default false,
  primary key (workspace_id, part, token)
);
create index identifiers_by_component on identifiers (workspace_id, component_id);

-- Append-only marks: a judge deletes those it saw, so a mark made meanwhile survives.
create table dirty_components (
  workspace_id integer not null,
  part smallint not null,
  component_id uuid not null,
  seq bigint generated always as identity,
  primary key (workspace_id, part, component_id, seq)
);

-- When a component's verdicts may change without new facts. gate 0: the clock; else the stream whose read time must pass due_at.
create table due (
  workspace_id integer not null,
  part smallint not null,
  component_id uuid not null,
  gate integer not null,
  due_at timestamptz not null,
  primary key (workspace_id, part, component_id, gate)
);
create index due_by_gate on due (workspace_id, gate, due_at);

create table subjects (
  workspace_id integer not null,
  part smallint not null,
  id uuid not null,
  component_id uuid not null,
  links jsonb not null,
  fingerprint uuid not null,
  primary key (workspace_id, part, id)
);
create index subjects_by_component on subjects (workspace_id, part, component_id);

create table subject_aliases (
  workspace_id integer not null,
  alias_id uuid not null,
  subject_id uuid not null,
  since timestamptz not null,
  cause text not null,
  primary key (workspace_id, alias_id)
);

-- Human decisions about identity, inputs of every resolution: must_link and cannot_link between two records.
create table identity_decisions (
  workspace_id integer not null,
  id uuid not null,
  decision text not null,
  record_a uuid not null,
  record_b uuid not null,
  actor text not null,
  reason text not null,
  decided_at timestamptz not null,
  withdrawn_at timestamptz,
  primary key (workspace_id, id)
);

create table programs (
  workspace_id integer not null,
  key text not null,
  current_version integer not null,
  primary key (workspace_id, key)
);

create table program_versions (
  workspace_id integer not null,
  program text not null,
  version integer not null,
  source text not null,
  source_hash text not null,
  applied_at timestamptz not null,
  applied_by text not null,
  primary key (workspace_id, program, version)
);

create table owners (
  workspace_id integer not null,
  key text not null,
  title text not null,
  primary key (workspace_id, key)
);

create table journeys (
  workspace_id integer not null,
  part smallint not null,
  id uuid not null,
  component_id uuid not null,
  program text not null,
  program_version integer not null,
  subject_id uuid,
  object_type text,
  object_id text,
  started_at timestamptz not null,
  last_event_at timestamptz not null,
  ended_at timestamptz,
  end_reason text,
  stage text not null,
  events integer not null,
  primary key (workspace_id, part, id)
);
create index journeys_by_component on journeys (workspace_id, part, component_id);
create index journeys_by_activity on journeys (workspace_id, last_event_at desc, id);

create table verdicts (
  workspace_id integer not null,
  part smallint not null,
  component_id uuid not null,
  journey_id uuid,
  program text not null,
  expectation text not null,
  activation uuid not null,
  state smallint not null,
  kind text,
  activations integer not null,
  violations integer not null,
  due_at timestamptz,
  occurred_at timestamptz,
  evidence_at timestamptz,
  unread_stream text,
  read_to timestamptz,
  primary key (workspace_id, part, component_id, program, expectation, activation)
);
create index verdicts_by_expectation on verdicts (workspace_id, program, expectation, state);

create table findings (
  workspace_id integer not null,
  part smallint not null,
  id uuid not null,
  fingerprint uuid not null,
  aliases uuid[] not null default '{}',
  component_id uuid not null,
  program text,
  program_version integer,
  expectation text not null,
  kind text not null,
  severity text not null,
  status text not null,
  owner text not null,
  owner_reason text not null,
  subject_id uuid,
  journey_id uuid,
  object_type text,
  object_id text,
  streams text[] not null default '{}',
  opened_at timestamptz not null,
  occurred_at timestamptz,
  deadline_at timestamptz,
  due_at timestamptz not null,
  changed_at timestamptz not null,
  closed_at timestamptz,
  closed_reason text,
  closing_evidence_at timestamptz,
  closing_evidence jsonb,
  waived_until timestamptz,
  snoozed_until timestamptz,
  claimed_by text,
  claimed_until timestamptz,
  violations integer not null,
  occurrences integer not null default 1,
  regressions integer not null default 0,
  detail jsonb not null default '{}',
  evidence jsonb not null default '[]',
  revision integer not null default 1,
  primary key (workspace_id, part, id),
  unique (workspace_id, part, fingerprint)
);
create index findings_by_component on findings (workspace_id, part, component_id);
create index findings_by_id on findings (workspace_id, id);
create index findings_by_journey on findings (workspace_id, journey_id);
create index findings_open on findings (workspace_id, status, due_at, id);
create index findings_by_opened on findings (workspace_id, opened_at desc, id);
create index findings_timers on findings (workspace_id, least(waived_until, snoozed_until)) where waived_until is not null or snoozed_until is not null;

create table comments (
  workspace_id integer not null,
  id uuid not null,
  finding_id uuid not null,
  author text not null,
  body text not null,
  created_at timestamptz not null,
  primary key (workspace_id, id)
);
create index comments_by_finding on comments (workspace_id, finding_id, created_at);

-- One row per act. Written in the act's own transaction; the application may insert and read, nothing else.
create table audit (
  workspace_id integer not null,
  id uuid not null default gen_random_uuid(),
  txid xid8 not null default pg_current_xact_id(),
  at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  actor text not null,
  act text not null,
  target_kind text not null,
  target_id text not null,
  reason text,
  before jsonb,
  after jsonb,
  primary key (workspace_id, id)
);
create index audit_by_target on audit (workspace_id, target_kind, target_id, recorded_at);

-- What the console is told. Read behind pg_snapshot_xmin, so commit order cannot lose a row.
create table feed (
  workspace_id integer not null,
  txid xid8 not null default pg_current_xact_id(),
  n bigint generated always as identity,
  topic text not null,
  ref text not null,
  at timestamptz not null,
  primary key (workspace_id, txid, n)
);

-- The engine's own pulse, one row per job.
create table heartbeats (
  workspace_id integer not null,
  job text not null,
  beat_at timestamptz not null,
  wall_at timestamptz not null default now(),
  detail jsonb not null default '{}',
  primary key (workspace_id, job)
);

do $$
declare name text;
begin
  if not exists (select from pg_roles where rolname = 'throughline_app') then create role throughline_app nologin; end if;
  execute format('grant throughline_app to %I', current_user);
  execute format('grant usage on schema %I to throughline_app', current_schema());
  foreach name in array array['connections','streams','passes','quarantine','drifts','records','sweep_seen','events','components','identifiers',
    'dirty_components','due','subjects','subject_aliases','identity_decisions','programs','program_versions','owners','journeys',
    'verdicts','findings','comments','audit','feed','heartbeats'] loop
    execute format('alter table %I enable row level security', name);
    execute format($p$create policy workspace on %I using (workspace_id = current_setting('throughline.workspace')::integer)
      with check (workspace_id = current_setting('throughline.workspace')::integer)$p$, name);
    if name = 'audit' then execute format('grant select, insert on %I to throughline_app', name);
    else execute format('grant select, insert, update, delete on %I to throughline_app', name); end if;
  end loop;
  grant select on workspaces to throughline_app;
end $$;
