-- Who may use a workspace. Times here are wall time. Nothing that opens a door is stored: of a password argon2id, of links, sessions and
-- tokens SHA-256 (hex) of 32 random bytes; a TOTP secret is sealed (AES-256-GCM, jobs/vault.ts).
create table people (
  workspace_id integer not null,
  id uuid not null,
  email text not null,
  name text not null,
  state text not null default 'active',
  is_demo boolean not null default false,
  password text,
  totp_secret text,
  totp_confirmed_at timestamptz,
  totp_last_step bigint,
  created_at timestamptz not null,
  created_by text not null,
  revision integer not null default 1,
  primary key (workspace_id, id)
);
create unique index people_by_email on people (workspace_id, lower(email));

create table memberships (
  workspace_id integer not null,
  person_id uuid not null,
  role text not null,
  granted_at timestamptz not null,
  granted_by text not null,
  primary key (workspace_id, person_id, role),
  foreign key (workspace_id, person_id) references people (workspace_id, id)
);

create table sessions (
  workspace_id integer not null,
  id uuid not null,
  token_hash text not null,
  person_id uuid not null,
  created_at timestamptz not null,
  seen_at timestamptz not null,
  idle_ms bigint not null,
  ends_at timestamptz not null,
  ended_at timestamptz,
  confirmed_at timestamptz,
  emergency_until timestamptz,
  emergency_reason text,
  primary key (workspace_id, id),
  foreign key (workspace_id, person_id) references people (workspace_id, id)
);
create unique index sessions_by_token on sessions (workspace_id, token_hash);
create index sessions_by_person on sessions (workspace_id, person_id, ends_at);

-- One-time links: for the first administrator, for who is invited, and for who lost the password (person_id).
create table invites (
  workspace_id integer not null,
  id uuid not null,
  token_hash text not null,
  kind text not null,
  email text,
  name text,
  roles text[] not null,
  person_id uuid,
  created_at timestamptz not null,
  created_by text not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  ended_as text,
  primary key (workspace_id, id)
);
create unique index invites_by_token on invites (workspace_id, token_hash);

create table api_tokens (
  workspace_id integer not null,
  id uuid not null,
  token_hash text not null,
  name text not null,
  role text not null,
  created_at timestamptz not null,
  created_by text not null,
  expires_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  revoked_by text,
  primary key (workspace_id, id)
);
create unique index api_tokens_by_token on api_tokens (workspace_id, token_hash);

-- Guesses at passwords and codes, counted in windows. The key is a hash: no address, no e-mail.
create table guesses (
  workspace_id integer not null,
  key text not null,
  since timestamptz not null,
  times integer not null,
  primary key (workspace_id, key)
);
create index guesses_by_age on guesses (workspace_id, since);

do $$
declare name text;
begin
  foreach name in array array['people', 'memberships', 'sessions', 'invites', 'api_tokens', 'guesses'] loop
    execute format('alter table %I enable row level security', name);
    execute format($p$create policy workspace on %I using (workspace_id = current_setting('throughline.workspace')::integer)
      with check (workspace_id = current_setting('throughline.workspace')::integer)$p$, name);
    execute format('grant select, insert, update, delete on %I to throughline_app', name);
  end loop;
end $$;
