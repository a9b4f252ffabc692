import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { hash128 } from '../../../../jobs/domain/hash.ts'
import { resolveIdentity } from '../../../../jobs/domain/identity.ts'
import { seal } from '../../../../jobs/domain/plain.ts'
import { makeTokeniser } from '../../../../jobs/edge.ts'
import type { KnownRecord } from '../../../support/households.ts'
import { simulateHouseholds } from '../../../support/households.ts'

function score(known: readonly KnownRecord[], without?: ReadonlySet<string>) {
  const tokenise = makeTokeniser({ workspaceKey: Buffer.alloc(32, 9), defaultCountry: 'US' })
  const byId = new Map(known.map((each) => [hash128('record', each.id), each]))
  const started = performance.now()
  const records = [...byId].map(([id, { claim, objects }]) => ({ id, objects, ...tokenise(seal(claim)) }))
  const tokenised = performance.now()
  const { clusters, ambiguities } = resolveIdentity(records, new Set(), [], without)
  const resolved = performance.now()

  const decidable = known.filter((each) => each.decidable)
  let right = 0
  let claimed = 0
  let mixed = 0
  for (const { recordIds } of clusters) {
    const people = countBy(
      recordIds.map((id) => byId.get(id)).filter((each) => each?.decidable === true),
      (each) => each?.person ?? '',
    )
    const size = [...people.values()].reduce((sum, count) => sum + count, 0)
    claimed += pairs(size)
    right += [...people.values()].reduce((sum, count) => sum + pairs(count), 0)
    if (people.size > 1) mixed += size
  }
  const possible = [...countBy(decidable, ({ person }) => person).values()].reduce((sum, count) => sum + pairs(count), 0)
  return {
    records: known.length,
    precision: right / claimed,
    recall: right / possible,
    mixed: mixed / decidable.length,
    asked: ambiguities.length,
    tokeniseMicros: ((tokenised - started) * 1_000) / known.length,
    resolveMicros: ((resolved - tokenised) * 1_000) / known.length,
  }
}

const pairs = (count: number) => (count * (count - 1)) / 2

function countBy<T>(all: readonly T[], keyOf: (each: T) => string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const each of all) counts.set(keyOf(each), (counts.get(keyOf(each)) ?? 0) + 1)
  return counts
}

function print(name: string, result: ReturnType<typeof score>) {
  const { records, precision, recall, mixed, asked, tokeniseMicros, resolveMicros } = result
  console.log(
    `${name}: ${records} records, pair precision ${precision.toFixed(4)}, recall ${recall.toFixed(4)}, in mixed subjects ${(mixed * 100).toFixed(2)} %, ` +
      `${asked} asked, ${tokeniseMicros.toFixed(1)} µs to tokenise and ${resolveMicros.toFixed(1)} µs to resolve one`,
  )
}

describe('on simulated households, records that carry enough to decide', () => {
  const households = simulateHouseholds(1, Number(process.env.IDENTITY_HOUSEHOLDS ?? 400))
  test('are hardly ever mixed and mostly found', () => {
    const result = score(households)
    print('households', result)
    expect(result.mixed).toBeLessThanOrEqual(0.005)
    expect(result.precision).toBeGreaterThanOrEqual(0.995)
    expect(result.recall).toBeGreaterThanOrEqual(0.9)
  })
  test('without the vetoes a good part of them is mixed, so this score can fail', () => {
    expect(score(households, new Set(['identity-vetoes'])).mixed).toBeGreaterThan(0.1)
  })
})

const folder = fileURLToPath(new URL('../../../../../shared/data/identity/', import.meta.url))
const publicSets: readonly {
  file: string
  least: { precision: number; recall: number }
  toRecord: (row: Row) => Omit<KnownRecord, 'objects' | 'decidable'>
}[] = [
  {
    file: 'febrl3.csv',
    least: { precision: 0.999, recall: 0.37 },
    toRecord: (row) => ({
      id: row('rec_id'),
      person: row('rec_id').split('-')[1] ?? '',
      claim: { role: 'self', name: { given: row('given_name'), family: row('surname') }, birthDate: row('date_of_birth') },
    }),
  },
  {
    file: 'fake_1000.csv',
    least: { precision: 0.999, recall: 0.17 },
    toRecord: (row) => ({
      id: row('unique_id'),
      person: row('cluster'),
      claim: { role: 'self', name: { given: row('first_name'), family: row('surname') }, birthDate: row('dob'), emails: [row('email')] },
    }),
  },
]

type Row = (column: string) => string

function readRows(path: string): Row[] {
  const [header = [], ...lines] = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim()))
  return lines.map((cells) => (column) => cells[header.indexOf(column)] ?? '')
}

describe('on public people with known truth, where they are at hand, nobody is mixed up', () => {
  test.each(publicSets)('$file', ({ file, least, toRecord }) => {
    if (!existsSync(folder + file)) return
    const result = score(readRows(folder + file).map((row) => ({ ...toRecord(row), objects: [], decidable: true })))
    print(file, result)
    expect(result.precision).toBeGreaterThanOrEqual(least.precision)
    expect(result.recall).toBeGreaterThanOrEqual(least.recall)
  })
})
