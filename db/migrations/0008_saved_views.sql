-- Named filters of the findings list, shared in the workspace. query: what stands in the address, filters, order, groups and columns.
create table saved_views (
  workspace_id integer not null,
  id uuid not null,
  name text not null,
  query text not null,
  created_at timestamptz not null,
  created_by text not null,
  revision integer not null default 1,
  primary key (workspace_id, id)
);
create unique index saved_views_by_name on saved_views (workspace_id, lower(name));

-- One act on many findings. Its findings are fixed when it begins, so that done + skipped + still to come = total at every instant.
create table bulk_acts (
  workspace_id integer not null,
  id uuid not null,
  act text not null,
  asked jsonb not null,
  filter text not null,
  as_of timestamptz not null,
  actor text not null,
  state text not null default 'running',
  total integer not null,
  handled integer not null default 0,
  done integer not null default 0,
  skipped jsonb not null default '{}',
  started_at timestamptz not null,
  beat_at timestamptz not null default now(),
  primary key (workspace_id, id)
);
create unique index bulk_acts_running on bulk_acts (workspace_id) where state = 'running';

create table bulk_targets (
  workspace_id integer not null,
  bulk_id uuid not null,
  n integer not null,
  part smallint not null,
  finding_id uuid not null,
  revision integer not null,
  primary key (workspace_id, bulk_id, n)
);

do $$
declare name text;
begin
  foreach name in array array['saved_views', 'bulk_acts', 'bulk_targets'] loop
    execute format('alter table %I enable row level security', name);
    execute format($p$create policy workspace on %I using (workspace_id = current_setting('throughline.workspace')::integer)
      with check (workspace_id = current_setting('throughline.workspace')::integer)$p$, name);
    execute format('grant select, insert, update, delete on %I to throughline_app', name);
  end loop;
end $$;

-- The few findings of one promise, subject or object, among all that ever were.
create index findings_by_expectation on findings (workspace_id, expectation, status);
create index findings_by_subject on findings (workspace_id, subject_id) where subject_id is not null;
-- By its hash: a tool may give an id longer than an index holds.
create index findings_by_object on findings (workspace_id, md5(object_id)) where object_id is not null;
