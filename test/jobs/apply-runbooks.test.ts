import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../db/client.ts'
import { ensureWorkspace } from '../../db/records/workspaces.ts'
import { applyRunbooksPlan, bringRunbooksIntoForce, readRunbooksPlan } from '../../jobs/apply-runbooks.ts'
import type { KeyedSource } from '../../jobs/domain/program-plan.ts'
import { runbooksInForce, runbookToRun } from '../../jobs/runbooks-in-force.ts'
import { withDatabase } from '../support/database.ts'

const main = await withDatabase()
const now = Date.parse('2026-10-01T12:00:00Z')

async function workspace() {
  const url = await main.another()
  const owner = openDatabase(url, { max: 1 })
  const { id } = await ensureWorkspace(owner.sql, { key: 'w', title: 'W', timeZone: 'UTC' })
  await owner.close()
  const database = openDatabase(url, { workspaceId: id })
  return { id, sql: database.sql, database }
}

const textOf = (key: string, answer: string) => `runbook: ${key}\nsteps: { ask: { do: ask-person, with: { question: "${answer}" } } }\n`
function source(key: string, answer = 'Is it done?'): KeyedSource {
  const text = textOf(key, answer)
  return { key, source: text, sourceHash: createHash('sha256').update(text).digest('hex') }
}

describe('runbooks in force', () => {
  it('keep every version with who applied it, and a run finds the one it remembers', { timeout: 120_000 }, async () => {
    const { id, sql, database } = await workspace()
    const apply = async (by: string, ...sources: KeyedSource[]) => {
      const plan = await readRunbooksPlan(sql, id, sources)
      return { plan, versions: await applyRunbooksPlan(sql, id, plan, { by, now }) }
    }
    const first = await apply('ana', source('call'), source('wait-first'))
    expect([...(first.versions ?? [])]).toEqual([
      ['call', 1],
      ['wait-first', 1],
    ])
    expect((await readRunbooksPlan(sql, id, [source('call'), source('wait-first')])).changes).toEqual([])

    const second = await apply('ben', source('call', 'Did they answer?'))
    expect(second.plan.changes.map(({ key, kind }) => [key, kind])).toEqual([
      ['call', 'changed'],
      ['wait-first', 'removed'],
    ])
    expect((await runbooksInForce(sql, id)).map(({ runbook, version }) => [runbook.key, version])).toEqual([['call', 2]])
    expect((await runbookToRun(sql, id, 'call')).runbook.steps[0]?.with).toEqual({ question: 'Did they answer?' })
    expect((await runbookToRun(sql, id, 'call', 1)).runbook.steps[0]?.with).toEqual({ question: 'Is it done?' })
    await expect(runbookToRun(sql, id, 'wait-first')).rejects.toThrow('There is no runbook "wait-first" in force. Known: call.')

    // What was planned on other versions is not carried out.
    expect(await applyRunbooksPlan(sql, id, { ...first.plan, changes: second.plan.changes }, { by: 'eve', now })).toBeUndefined()

    const back = await apply('ana', source('call'), source('wait-first'))
    expect(back.plan.changes.map(({ key, goesBackTo }) => [key, goesBackTo])).toEqual([
      ['call', 1],
      ['wait-first', 1],
    ])
    expect([...(back.versions ?? [])]).toEqual([
      ['call', 3],
      ['wait-first', 2],
    ])
    const acts = await sql<{ actor: string; act: string; target: string }[]>`
      select actor, act, target_id as target from audit where target_kind = 'runbook' order by recorded_at, target_id`
    expect(acts.map(({ actor, act, target }) => `${actor} ${act} ${target}`)).toEqual([
      'ana runbook.apply call',
      'ana runbook.apply wait-first',
      'ben runbook.apply call',
      'ben runbook.withdraw wait-first',
      'ana runbook.apply call',
      'ana runbook.apply wait-first',
    ])
    await database.close()
  })

  it('follow the folder as a workspace is opened, by the rules of its programs', { timeout: 120_000 }, async () => {
    const { id, sql, database } = await workspace()
    const told: string[] = []
    const open = async (how: 'apply' | 'first' | 'unknown' | 'none', ...sources: KeyedSource[]) => {
      await bringRunbooksIntoForce(sql, id, how, sources, { by: 'start', now }, (line) => told.push(line))
      return (await runbooksInForce(sql, id)).map(({ runbook, version }) => `${runbook.key} ${version}`)
    }
    expect(await open('none', source('call'))).toEqual([])
    expect(await open('first', source('call'))).toEqual(['call 1'])
    expect(await open('first', source('call', 'Another?'))).toEqual(['call 1'])
    expect(await open('unknown', source('call', 'Another?'), source('new'))).toEqual(['call 2', 'new 1'])
    // An earlier text of the folder is no news: what a person applied since stays.
    expect(await open('unknown', source('call'))).toEqual(['call 2', 'new 1'])
    expect(await open('apply', source('call'))).toEqual(['call 3'])
    expect(told).toEqual([
      'The runbook "call" of the folder replaces version 1.',
      'The runbook "call" of the folder replaces version 2.',
      'The runbook "new" is no longer in the folder: it is out of force.',
    ])
    await database.close()
  })
})
