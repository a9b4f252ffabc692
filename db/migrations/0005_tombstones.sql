-- A record known to be deleted by a tombstone, which states nothing else, keeps what its newest version before that stated: which version
-- that was. Null: the row's own version states it. The beginning of time: none has been read yet.
alter table records add column stated_at timestamptz, add column stated_version text, add column stated_hash uuid;
update records set stated_at = to_timestamp(0), stated_version = '', stated_hash = '00000000-0000-0000-0000-000000000000'
where deleted_at is not null and status is null and ops is null and objects is null and keys is null;
