-- Rows that stand set aside now (null: the connector cannot tell), and why absence in the stream therefore counts for nothing.
alter table streams add column set_aside integer, add column set_aside_reason text, add column set_aside_since timestamptz;

-- The pass that last met the drift: a complete reading without it settles it.
alter table drifts add column pass_id bigint;
