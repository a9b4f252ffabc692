-- Components whose judging fails by itself (a rule's bug, an impossible row): set apart, so that the others go on, and tried again later
-- and later. `reason` says where it failed, never over what. retry_at null: it was marked again and its judging is awaited.
create table parked_components (
  workspace_id integer not null,
  part smallint not null,
  component_id uuid not null,
  since timestamptz not null default now(),
  tries integer not null default 1,
  reason text not null,
  retry_at timestamptz,
  primary key (workspace_id, part, component_id)
);
alter table parked_components enable row level security;
create policy workspace on parked_components using (workspace_id = current_setting('throughline.workspace')::integer)
  with check (workspace_id = current_setting('throughline.workspace')::integer);
grant select, insert, update, delete on parked_components to throughline_app;
