import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import postgres from 'postgres'
import { startEmbedded } from '../../db/embedded.ts'
import { addScores, formatScore, isPerfect, type Score } from './compare.ts'
import { runScore } from './run-score.ts'

/** `npm run demo:score -- --seed N [--seeds 30] [--without watermark-gate|settle|identity-vetoes] [--show]` */
const safeguards = ['watermark-gate', 'settle', 'identity-vetoes'] as const
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    without: { type: 'string' },
    show: { type: 'boolean', default: false },
  },
})
const off = safeguards.find((name) => name === values.without)
if (values.without !== undefined && off === undefined) {
  process.stderr.write(`--without takes one of ${safeguards.join(', ')}; got "${values.without}".\n`)
  process.exit(1)
}

const dataDir = await mkdtemp(join(tmpdir(), 'throughline-score-db-'))
const cluster = await startEmbedded({ dataDir, durable: false })
const admin = postgres(cluster.url('postgres'), { max: 1, onnotice: () => {} })
const scores: Score[] = []
try {
  for (let seed = Number(values.seed); seed < Number(values.seed) + Number(values.seeds); seed++) {
    const name = `score_${seed}`
    await admin`create database ${admin(name)}`
    const begun = performance.now()
    const score = await runScore({ seed, databaseUrl: cluster.url(name), ...(off === undefined ? {} : { without: new Set([off]) }) })
    await admin`drop database ${admin(name)} with (force)`
    scores.push(score)
    const planted = score.kinds.reduce((sum, one) => sum + one.planted, 0)
    process.stdout.write(
      `seed ${seed}: ${planted} planted, ${score.missed.length} missed, ${score.wrong.length} wrong, ${score.undecided} too near the end; ${score.rounds} rounds, ${((performance.now() - begun) / 1000).toFixed(1)} s\n`,
    )
    if (values.show) tell(score)
  }
} finally {
  await admin.end()
  await cluster.destroy()
  await rm(dataDir, { recursive: true, force: true })
}
const sum = addScores(scores)
process.stdout.write(
  `\n${off === undefined ? 'All safeguards on' : `Without ${off}`}, ${scores.length} ${scores.length === 1 ? 'seed' : 'seeds'}\n${formatScore(sum)}\n`,
)
process.exitCode = isPerfect(sum) ? 0 : 1

function tell(score: Score): void {
  for (const truth of score.missed)
    process.stdout.write(
      `  missed ${truth.kind} ${truth.expectation ?? ''} ${truth.person ?? ''} from ${new Date(truth.from).toISOString()} ${JSON.stringify(truth.records)}\n`,
    )
  for (const finding of score.wrong)
    process.stdout.write(
      `  wrong ${finding.kind} ${finding.expectation} ${finding.status} ${finding.id} ${JSON.stringify(finding.evidence.map((one) => `${one.stream}/${one.externalId}`))} ${JSON.stringify(finding.detail)}\n`,
    )
}
