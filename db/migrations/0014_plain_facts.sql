-- What only our own code reads of facts and subjects stands as text: PostgreSQL need not parse it on the way in and print it on the way out.
alter table records alter column objects type text using objects::text;
alter table subjects alter column links type text using links::text;

-- A key: kind:token:system:first name:full name:birth date, trailing gaps cut; keys are parted by a blank, a system's %, : and blank escaped.
alter table records add column plain_keys text;
update records r set plain_keys = (
  select string_agg(rtrim(concat_ws(':', k ->> 0, k ->> 1,
    case when k ->> 2 is null or k ->> 2 = '0' then '' else replace(replace(replace(k ->> 2, '%', '%25'), ':', '%3A'), ' ', '%20') end,
    coalesce(nullif(k ->> 3, '0'), ''), coalesce(nullif(k ->> 4, '0'), ''), coalesce(nullif(k ->> 5, '0'), '')), ':'), ' ' order by n)
  from jsonb_array_elements(r.keys) with ordinality as t (k, n))
where keys is not null;
alter table records drop column keys;
alter table records rename column plain_keys to keys;
