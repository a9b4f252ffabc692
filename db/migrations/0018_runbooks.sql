-- Runbooks and every version there ever was, as programs have them: a run keeps the version it was planned by.
create table runbooks (
  workspace_id integer not null,
  key text not null,
  current_version integer not null,
  primary key (workspace_id, key)
);

create table runbook_versions (
  workspace_id integer not null,
  runbook text not null,
  version integer not null,
  source text not null,
  source_hash text not null,
  applied_at timestamptz not null,
  applied_by text not null,
  primary key (workspace_id, runbook, version)
);

do $$
declare name text;
begin
  foreach name in array array['runbooks', 'runbook_versions'] loop
    execute format('alter table %I enable row level security', name);
    execute format($p$create policy workspace on %I using (workspace_id = current_setting('throughline.workspace')::integer)
      with check (workspace_id = current_setting('throughline.workspace')::integer)$p$, name);
  end loop;
end $$;
grant select, insert, update, delete on runbooks to throughline_app;
grant select, insert on runbook_versions to throughline_app;
