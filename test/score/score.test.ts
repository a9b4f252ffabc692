import type { IncomingHttpHeaders } from 'node:http'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../db/client.ts'
import { canaryMark } from '../../jobs/simulator/canary.ts'
import { needlesOf } from '../../jobs/simulator/people.ts'
import type { Simulator } from '../../jobs/simulator/simulator.ts'
import { hour } from '../../jobs/simulator/times.ts'
import { withDatabase } from '../support/database.ts'
import { type GuardedTool, openSpecGuard } from '../support/spec-guard.ts'
import { isPerfect } from './compare.ts'
import { runScore } from './run-score.ts'

const { another } = await withDatabase()
const full = process.env.THROUGHLINE_FULL === '1'
const minutes = 60_000

/** Every row of every table as text, the way a stolen dump would show it. */
async function dump(databaseUrl: string): Promise<string> {
  const { sql, close } = openDatabase(databaseUrl, { max: 1 })
  try {
    const tables = await sql<
      { name: string }[]
    >`select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`
    const parts: string[] = []
    for (const { name } of tables) {
      const rows = await sql.unsafe<{ row: string }[]>(`select t::text as row from ${name} t`)
      parts.push(`${name}\n${rows.map(({ row }) => row).join('\n')}`)
    }
    return parts.join('\n')
  } finally {
    await close()
  }
}

describe('the score of the demo', () => {
  it(
    'is 1.00 for every planted kind, with every exchange as the vendors describe it and nobody named at rest',
    async () => {
      const guard = openSpecGuard()
      const offences = new Set<string>()
      const databaseUrl = await another('empty')
      let stored = ''
      let exchanges = 0
      let world: Simulator['world'] | undefined
      const score = await runScore({
        seed: 101,
        databaseUrl,
        observe: (tool, request, response) => {
          exchanges++
          if (guard === null) return
          const asked = guard.request(tool as GuardedTool, request.method, request.url, request.headers as IncomingHttpHeaders)
          // The planted new field of Cal.com is the one thing no description knows.
          const answered = guard.response(tool as GuardedTool, request.method, request.url, response.status, withoutPlanted(response.body))
          for (const offence of [...asked, ...answered]) offences.add(`${tool} ${new URL(request.url, 'http://tool').pathname} ${offence}`)
        },
        inspect: async (simulator) => {
          stored = await dump(databaseUrl)
          world = simulator.world
        },
      })
      expect(exchanges).toBeGreaterThan(1_000)
      expect([...offences].slice(0, 10)).toEqual([])
      expect(score.missed).toEqual([])
      expect(score.wrong).toEqual([])
      expect(score.kinds.filter(({ planted }) => planted === 0).map(({ kind }) => kind)).toEqual([])
      expect(stored.length).toBeGreaterThan(1_000_000)
      expect(stored.includes(canaryMark)).toBe(false)
      const low = stored.toLowerCase()
      const needles = (world?.people ?? []).flatMap((person) => needlesOf(person))
      expect(needles.length).toBeGreaterThan(2_000)
      expect(
        needles.filter((needle) => low.includes(needle.toLowerCase()) || low.includes(encodeURIComponent(needle.toLowerCase()))).length,
      ).toBe(0)
    },
    10 * minutes,
  )

  for (const safeguard of ['watermark-gate', 'settle', 'identity-vetoes'] as const) {
    it(
      `falls without the ${safeguard}`,
      async () => {
        const score = await runScore({ seed: 1, databaseUrl: await another('empty'), without: new Set([safeguard]) })
        expect(isPerfect(score)).toBe(false)
      },
      10 * minutes,
    )
  }

  it(
    'a connector stopped for hours: no false gap, one blind finding, and afterwards the violations it would have had anyway',
    async () => {
      const seed = 7
      const calm = await runScore({ seed, databaseUrl: await another('empty'), outages: [], liveMs: 14 * hour })
      const from = calm.beganAt + 2 * hour
      const outages = [{ tool: 'twilio' as const, from, to: from + 6 * hour }]
      const stopped = await runScore({ seed, databaseUrl: await another('empty'), outages, liveMs: 14 * hour })
      expect(stopped.wrong).toEqual([])
      expect(stopped.kinds.find(({ kind }) => kind === 'blind')).toMatchObject({ planted: 1, found: 1, right: 1 })
      expect(stopped.violated).toEqual(calm.violated)
    },
    10 * minutes,
  )

  for (let seed = 201; seed < (full ? 231 : 201); seed++) {
    it(
      `is 1.00 with seed ${seed}`,
      async () => {
        const score = await runScore({ seed, databaseUrl: await another('empty') })
        expect([score.missed, score.wrong]).toEqual([[], []])
      },
      10 * minutes,
    )
  }
})

function withoutPlanted(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body), (key, value: unknown) => (key === 'attendanceMode' ? undefined : value))
}
