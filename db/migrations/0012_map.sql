-- The steps each journey passed, in order: what the map of a program counts. Derived from journeys and facts, and made anew from them.
create table journey_paths (
  workspace_id integer not null,
  part smallint not null,
  journey_id uuid not null,
  component_id uuid not null,
  program text not null,
  version integer not null,
  started_at timestamptz not null,
  -- Each step once, by its first standing occurrence, and the seconds since the one before (of the first: since the journey began).
  steps text[] not null,
  gaps integer[] not null,
  -- Why it ended, or `open`.
  ending text not null,
  -- Hash of the journey's row it was made from: where it differs, the path is made anew.
  made_from bigint not null,
  primary key (workspace_id, part, journey_id)
);
create index journey_paths_by_start on journey_paths (workspace_id, program, started_at desc, journey_id);

-- How many journeys that began on a day (UTC) went from one step to the next, by how long that took. from_step '': the beginning.
-- to_step '@…': where it ended, by how; bucket as jobs/domain/journey-path.ts cuts time.
create table flows (
  workspace_id integer not null,
  program text not null,
  day date not null,
  version integer not null,
  from_step text not null,
  to_step text not null,
  bucket smallint not null,
  journeys integer not null,
  primary key (workspace_id, program, day, version, from_step, to_step, bucket)
);

-- Days whose flows have still to be counted anew.
create table stale_flows (
  workspace_id integer not null,
  program text not null,
  day date not null,
  primary key (workspace_id, program, day)
);

do $$
declare name text;
begin
  foreach name in array array['journey_paths', 'flows', 'stale_flows'] loop
    execute format('alter table %I enable row level security', name);
    execute format($p$create policy workspace on %I using (workspace_id = current_setting('throughline.workspace')::integer)
      with check (workspace_id = current_setting('throughline.workspace')::integer)$p$, name);
    execute format('grant select, insert, update, delete on %I to throughline_app', name);
  end loop;
end $$;
