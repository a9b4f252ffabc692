-- The audit chain (semantics.md 26): one entry per transaction that writes audit rows, over their hashes, linked to the entry before.
-- A ticket joins a transaction's rows to its entry. The foreign key is looked at when the transaction commits, so no act is kept whose
-- entry was not written; seal_audit() writes it as the transaction's last statement, so nobody queues on the head for longer than a commit.
create sequence audit_tickets;
-- The ticket of this transaction. A setting local to the transaction holds it, so a savepoint that is rolled back takes its own with it.
create function audit_ticket() returns bigint language plpgsql as $$
declare
  ticket text := current_setting('throughline.audit_ticket', true);
begin
  if coalesce(ticket, '') = '' then
    ticket := nextval('audit_tickets')::text;
    perform set_config('throughline.audit_ticket', ticket, true);
  end if;
  return ticket::bigint;
end $$;

alter table audit add column n bigint generated always as identity;
alter table audit add column ticket bigint;
-- What was written before the chain is sealed in runs of rows, so that no entry grows with it.
update audit set ticket = n / 1000 + 1;
select setval('audit_tickets', coalesce((select max(ticket) from audit), 0) + 1, false);
alter table audit alter column ticket set not null, alter column ticket set default audit_ticket();

create index audit_by_ticket on audit (workspace_id, ticket, n);
create index audit_by_time on audit (workspace_id, recorded_at, n);
create index audit_by_act on audit (workspace_id, act, recorded_at, n);
-- Nearly all rows are ours; a look for what one person did must not read them.
create index audit_by_person on audit (workspace_id, actor, recorded_at, n) where actor <> 'throughline';

create table audit_chain (
  workspace_id integer not null,
  seq bigint not null,
  ticket bigint not null,
  sealed_at timestamptz not null,
  -- The SHA-256 of each row in the order of n, one after the other.
  row_hashes bytea not null,
  previous bytea not null,
  hash bytea not null,
  primary key (workspace_id, seq),
  unique (workspace_id, ticket)
);

-- A value that cannot run into the next one: its length in bytes, a colon and itself, or a hyphen for none.
create function audit_field(value text) returns text language sql stable as $$
  select coalesce(octet_length(convert_to(value, 'UTF8')) || ':' || value, '-')
$$;
create function audit_micros(at timestamptz) returns text language sql stable as $$
  select trunc(extract(epoch from at) * 1000000)::bigint::text
$$;
-- jobs/domain/audit-chain.ts says the same in TypeScript.
create function audit_row_hash(a audit) returns bytea language sql stable as $$
  select sha256(convert_to('throughline audit 1' || audit_field(a.workspace_id::text) || audit_field(a.id::text)
    || audit_field(audit_micros(a.at)) || audit_field(audit_micros(a.recorded_at)) || audit_field(a.actor) || audit_field(a.act)
    || audit_field(a.target_kind) || audit_field(a.target_id) || audit_field(a.reason) || audit_field(a.before::text)
    || audit_field(a.after::text), 'UTF8'))
$$;

-- Writes the entry of what this transaction wrote into audit, if anything; the last statement of the transaction. It runs as the owner:
-- the application itself can write no entry.
create function seal_audit() returns void language plpgsql security definer set search_path from current as $$
declare
  mine bigint := nullif(current_setting('throughline.audit_ticket', true), '')::bigint;
  workspace integer;
  hashes bytea;
  before bytea;
  number bigint;
  now_at timestamptz;
begin
  if mine is null then return; end if;
  for workspace in select distinct a.workspace_id from audit a where a.ticket = mine order by 1 loop
    select string_agg(audit_row_hash(a), '' order by a.n) into hashes from audit a where a.workspace_id = workspace and a.ticket = mine;
    perform pg_advisory_xact_lock(hashtextextended('throughline.audit', workspace));
    select c.seq, c.hash into number, before from audit_chain c where c.workspace_id = workspace order by c.seq desc limit 1;
    number := coalesce(number, 0) + 1;
    before := coalesce(before, decode(repeat('00', 32), 'hex'));
    now_at := clock_timestamp();
    insert into audit_chain (workspace_id, seq, ticket, sealed_at, row_hashes, previous, hash)
    values (workspace, number, mine, now_at, hashes, before, sha256(convert_to('throughline chain 1' || audit_field(workspace::text)
      || audit_field(number::text) || audit_field(encode(before, 'hex')) || audit_field(encode(sha256(hashes), 'hex'))
      || audit_field(audit_micros(now_at)), 'UTF8')));
  end loop;
  perform set_config('throughline.audit_ticket', '', true);
end $$;

do $$
declare old bigint;
begin
  for old in select distinct ticket from audit order by 1 loop
    perform set_config('throughline.audit_ticket', old::text, true);
    perform seal_audit();
  end loop;
end $$;

alter table audit add constraint sealed_by_db_records_audit_ts foreign key (workspace_id, ticket) references audit_chain (workspace_id, ticket)
  deferrable initially deferred;

-- What was written outside, per target: `file`, or `webhook:` and its name. A later checkpoint covers all before it.
create table audit_checkpoints (
  workspace_id integer not null,
  target text not null,
  seq bigint not null,
  hash bytea not null,
  written_at timestamptz,
  attempts integer not null default 0,
  next_at timestamptz,
  reason text,
  primary key (workspace_id, target)
);
-- The looks at the chain, whole or from an entry on, and what was found.
create table audit_verifications (
  workspace_id integer not null,
  n bigint generated always as identity,
  verified_at timestamptz not null default clock_timestamp(),
  by text not null,
  from_seq bigint not null,
  to_seq bigint not null,
  rows bigint not null,
  checkpoint_seq bigint,
  problem jsonb,
  primary key (workspace_id, n)
);

do $$
declare name text;
begin
  foreach name in array array['audit_chain', 'audit_checkpoints', 'audit_verifications'] loop
    execute format('alter table %I enable row level security', name);
    execute format($p$create policy workspace on %I using (workspace_id = current_setting('throughline.workspace')::integer)
      with check (workspace_id = current_setting('throughline.workspace')::integer)$p$, name);
  end loop;
end $$;
grant select on audit_chain to throughline_app;
grant select, insert, update on audit_checkpoints to throughline_app;
grant select, insert on audit_verifications to throughline_app;
grant usage on sequence audit_tickets to throughline_app;
revoke update, delete, truncate on audit from throughline_app;
revoke all on function seal_audit() from public;
grant execute on function seal_audit() to throughline_app;
