-- A person stopped reading it for a while: it is not fresh, and what it would show is unknown.
alter table connections add column paused_at timestamptz, add column paused_by text, add column paused_reason text;

-- What a pass asked of its tool. Null: it reaches nothing over HTTP, or it is older than this column.
alter table passes add column requests integer, add column retries integer, add column rate_limited integer,
  add column waited_ms bigint, add column p50_ms integer, add column p95_ms integer;

-- A record that a person accepts as it is: that it cannot be read no longer makes absence in its stream count for nothing.
alter table quarantine add column accepted_at timestamptz, add column accepted_by text, add column accepted_reason text;
