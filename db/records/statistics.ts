import type { Sql } from './bulk.ts'

const grown = ['records', 'events', 'identifiers', 'components', 'dirty_components', 'due', 'subjects', 'journeys', 'verdicts', 'findings']

/**
 * Gathers statistics for tables that have changed by half since they were last gathered. Autovacuum does so once a minute, which is
 * too late for a first read of a million records. Runs as the owner: only the owner may.
 */
export async function refreshStatistics(owner: Sql): Promise<void> {
  const stale = await owner<{ name: string }[]>`
    select c.relname as name from pg_class c join pg_stat_user_tables s on s.relid = c.oid
    where c.relname = any(${grown}) and c.relnamespace = current_schema()::regnamespace
      and s.n_mod_since_analyze > 2000 and s.n_mod_since_analyze > greatest(c.reltuples, 0) / 2`
  for (const { name } of stale) await owner`analyze ${owner(name)}`
}
