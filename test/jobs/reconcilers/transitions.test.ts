import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toTransition } from '../../../db/records/transitions.ts'
import { findingStatuses } from '../../../db/schema/words.ts'
import { isOpen } from '../../../jobs/domain/finding-lifecycle.ts'
import { withDatabase } from '../../support/database.ts'
import { minute, type ServedClinic, serveClinic } from '../../server/served-clinic.ts'

const main = await withDatabase()
let clinic: ServedClinic
beforeAll(async () => {
  clinic = await serveClinic(await main.another())
})
afterAll(() => clinic.close())

const transitions = async (kind: string) =>
  clinic.workspace.database.sql<{ entered: string | null; ended: string | null; was: boolean; is: boolean; place: string; from: string }[]>`
    select t.entered, t.ended, t.was_open as was, t.is_open as is, concat_ws(' ', t.program, t.owner, t.kind) as place,
      concat_ws(' ', t.from_program, t.from_owner, t.from_kind) as "from"
    from finding_transitions t join findings f using (workspace_id) where f.id = t.finding_id and f.kind = ${kind} order by t.n`

async function act(name: string, kind: string, body: object) {
  const [row] = await clinic.workspace.database.sql<
    { id: string; revision: number }[]
  >`select id, revision from findings where kind = ${kind}`
  const response = await clinic.app.request(`/api/v1/findings/${row?.id}/${name}`, {
    method: 'POST',
    headers: { host: 'localhost', 'content-type': 'application/json' },
    body: JSON.stringify({ ...body, revision: row?.revision }),
  })
  expect(response.status).toBe(200)
}

describe('the transitions of findings', () => {
  it('are written once for each finding that opens, and not for a second judging', async () => {
    await clinic.reconcile()
    expect(await transitions('gap')).toEqual([{ entered: 'opened', ended: null, was: false, is: true, place: 'visits care gap', from: '' }])
    expect(await transitions('duplicate')).toHaveLength(1)
  })

  it('tell a person’s waiver, its running out, and a closing by itself under another kind', async () => {
    await act('acknowledge', 'gap', {})
    await act('waive', 'gap', { until: new Date(clinic.clock.at + 10 * minute).toISOString(), reason: 'known' })
    clinic.clock.at += 11 * minute
    await clinic.reconcile()
    clinic.texts.rows.push({
      id: 'm-late',
      email: 'ann@example.org',
      status: 'delivered',
      at: clinic.clock.at,
      updatedAt: clinic.clock.at,
    })
    clinic.clock.at += minute
    await clinic.reconcile()
    expect((await transitions('late')).slice(1)).toEqual([
      { entered: null, ended: 'waived', was: true, is: false, place: 'visits care gap', from: 'visits care gap' },
      { entered: 'waiver_expired', ended: null, was: false, is: true, place: 'visits care gap', from: 'visits care gap' },
      { entered: null, ended: 'verified', was: true, is: false, place: 'visits care late', from: 'visits care gap' },
    ])
  })

  it('cannot be changed or taken away by the application', async () => {
    const { sql } = clinic.workspace.database
    await expect(sql`update finding_transitions set owner = 'x'`).rejects.toThrow(/permission denied/)
    await expect(sql`delete from finding_transitions`).rejects.toThrow(/permission denied/)
  })

  it('are written by every file that writes findings', () => {
    const root = join(import.meta.dirname, '../../..')
    const files = ['db/records', 'jobs', 'server'].flatMap((room) =>
      readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((name) => join(root, room, name)),
    )
    const writing = files
      .filter((path) => path.endsWith('.ts'))
      .filter((path) => /insert into findings\b|update findings\b|\b(update|insert)\(findings\)/.test(readFileSync(path, 'utf8')))
    expect(writing.length).toBeGreaterThan(1)
    expect(writing.filter((path) => !/\bwriteTransitions?\(/.test(readFileSync(path, 'utf8')))).toEqual([])
  })

  it('add up to what is open, whatever happens to a finding', () => {
    const finding = fc.record({
      status: fc.constantFrom(...findingStatuses),
      owner: fc.constantFrom('a', 'b'),
      kind: fc.constantFrom('gap', 'late'),
      regressions: fc.nat(2),
      changedAt: fc.nat(100),
    })
    fc.assert(
      fc.property(fc.array(finding, { minLength: 1, maxLength: 8 }), (states) => {
        const rest = { id: 'f', program: 'p', site: null, occurredAt: 1, closingEvidenceAt: 2, waivedUntil: 3 }
        let open = 0
        let last = -1
        states.forEach((state, index) => {
          const before = index === 0 ? null : { ...rest, ...states[index - 1]!, changedAt: last }
          const row = toTransition(before, { ...rest, ...state }, state.changedAt)
          if (row) {
            expect(row.at).toBeGreaterThanOrEqual(last)
            open += (row.entered === null ? 0 : 1) - (row.ended !== null && (row.wasOpen || row.entered !== null) ? 1 : 0)
          }
          last = Math.max(last, state.changedAt)
          expect(open).toBe(isOpen(state.status) ? 1 : 0)
        })
      }),
    )
  })
})
