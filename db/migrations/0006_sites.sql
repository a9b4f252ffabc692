-- A location, brand or team inside the workspace, as the configuration declares it. `known_as`: what the tools call it, beside its key.
create table sites (
  workspace_id integer not null,
  key text not null,
  title text not null,
  known_as text[] not null default '{}',
  primary key (workspace_id, key)
);
alter table sites enable row level security;
create policy workspace on sites using (workspace_id = current_setting('throughline.workspace')::integer)
  with check (workspace_id = current_setting('throughline.workspace')::integer);
grant select, insert, update, delete on sites to throughline_app;

-- The site of all records of a connection; the operational field in which the records of a stream state their own.
alter table connections add column site text;
alter table streams add column site_from text;

-- The site a finding concerns, where the facts tell one.
alter table findings add column site text;
create index findings_by_site on findings (workspace_id, site, status, due_at, id) where site is not null;
