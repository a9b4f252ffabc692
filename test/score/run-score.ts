import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../db/client.ts'
import { migrate } from '../../db/migrate.ts'
import { loadConfiguration } from '../../jobs/configuration.ts'
import { parseAllowList } from '../../jobs/connectors/guard.ts'
import { openToolHttp } from '../../jobs/connectors/http.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import type { JudgeContext } from '../../jobs/domain/expectations/expectation.ts'
import { openWorkspace, type Workspace } from '../../jobs/open-workspace.ts'
import { judge, poll, reconcile } from '../../jobs/reconcilers/reconcile.ts'
import { manualClock } from '../../jobs/simulator/clock.ts'
import { writeDemoConfiguration } from '../../jobs/simulator/demo-configuration.ts'
import type { LiveConnection } from '../../jobs/reconcilers/poll.ts'
import { type Outage, type Tool, tools } from '../../jobs/simulator/outages.ts'
import { historyDays } from '../../jobs/simulator/plan.ts'
import { type Random, randomFrom } from '../../jobs/simulator/random.ts'
import { demoSecrets, type Simulator, type SimulatorOptions, startSimulator } from '../../jobs/simulator/simulator.ts'
import { day, hour, minute, second } from '../../jobs/simulator/times.ts'
import type { Truth } from '../../jobs/simulator/truth.ts'
import { quietMs } from '../../jobs/simulator/world.ts'
import { compareFindings, type Score, type ScoredFinding } from './compare.ts'

export interface ScoreOptions {
  readonly seed: number
  /** An empty database of this run's own. */
  readonly databaseUrl: string
  readonly without?: JudgeContext['without']
  /** Instead of the interruptions planned by the seed; everything else stays as it was. */
  readonly outages?: readonly Outage[]
  /** How long it is watched after the history, ms. */
  readonly liveMs?: number
  readonly onProgress?: (line: string) => void
  readonly observe?: SimulatorOptions['observe']
  /** Called before everything is closed, with what the simulator knows. */
  readonly inspect?: (simulator: Simulator) => Promise<void>
}

export interface ScoreRun extends Score {
  /** Clock at the first read, epoch ms. */
  readonly beganAt: number
  readonly rounds: number
  readonly requests: number
  readonly refusals: number
  /** Fingerprints of what is violated at the end, sorted; our own sight apart. */
  readonly violated: readonly string[]
}

/** The history begins a week before daylight saving time does in New York. */
const startAt = Date.parse('2026-03-01T00:00:00Z')
const connectionOf: Readonly<Record<Tool, string>> = { stripe: 'billing', calcom: 'booking', twilio: 'texts', fhir: 'ehr' }
const blindAfterMs = hour
const unreadAtMostMs = 20 * minute
/** Longer than the greatest lag a connector declares: a fault due later than this before the end may or may not be found. */
const marginMs = 5 * minute

/** One demo clinic watched at irregular times through a bad network, then held against what was planted in it. */
export async function runScore(options: ScoreOptions): Promise<ScoreRun> {
  const random = randomFrom(options.seed, 'score')
  const clock = manualClock(startAt + historyDays * day + random.int(0, 600) * minute)
  const beganAt = clock.now()
  const liveMs = options.liveMs ?? 26 * hour
  const planned = planOutages(random, clock.now(), liveMs)
  const outages = options.outages ?? planned
  const directory = await mkdtemp(join(tmpdir(), 'throughline-score-'))
  const simulator = await startSimulator({
    seed: options.seed,
    clock,
    startAt,
    dataDir: null,
    outages,
    rateLimits: false,
    ...(options.observe === undefined ? {} : { observe: options.observe }),
  })
  let workspace: Workspace | undefined
  try {
    await migrate(options.databaseUrl)
    const configuration = await loadConfiguration(writeDemoConfiguration(directory, simulator.urls, 50), demoSecrets, connectors)
    workspace = inHaste(
      await openWorkspace({
        configuration,
        connectors,
        ownerUrl: options.databaseUrl,
        workspaceKey: Buffer.alloc(32, options.seed % 251),
        clock,
        actor: 'score',
        ...(options.without === undefined ? {} : { without: options.without }),
      }),
    )

    // 1. Everything there is, then irregular rounds.
    await reconcile(workspace)
    const readAt = new Map(Object.values(connectionOf).map((id) => [id, clock.now()]))
    const end = clock.now() + liveMs
    let rounds = 1
    while (clock.now() < end) {
      clock.advanceTo(clock.now() + random.int(2 * 60, 17 * 60) * second)
      for (const id of random.shuffle(Object.values(connectionOf))) {
        const isOverdue = clock.now() - (readAt.get(id) ?? 0) > unreadAtMostMs - 17 * minute
        if (random.chance(0.35) && !isOverdue) continue
        if (random.chance(0.02)) await forgetCursor(options.databaseUrl, id)
        await poll(workspace, id, { pageSize: random.pick([20, 100, 1000]) })
        readAt.set(id, clock.now())
        if (random.chance(0.5)) await judge(workspace)
        clock.advanceTo(clock.now() + random.int(0, 50) * second)
      }
      await judge(workspace)
      if (++rounds % 25 === 0) options.onProgress?.(`  ${rounds} rounds, ${new Date(clock.now()).toISOString()}`)
    }

    // 2. Freeze and drain: whatever happened before now shows in every tool and is read.
    const frozenAt = clock.now()
    clock.advanceTo(frozenAt + Math.max(quietMs, marginMs))
    await reconcile(workspace)
    await reconcile(workspace)

    await options.inspect?.(simulator)
    const truths = [...simulator.world.truths, ...blindTruths(outages)]
    const findings = await readFindings(options.databaseUrl)
    const score = compareFindings(truths, findings, clock.now(), marginMs + quietMs)
    const requests = tools.flatMap((tool) => simulator.tools[tool].requests)
    return {
      ...score,
      beganAt,
      rounds,
      requests: requests.length,
      refusals: requests.filter(({ status }) => status >= 400).length,
      violated: findings
        .filter((one) => one.isViolated && one.kind !== 'blind')
        .map((one) => one.fingerprint)
        .sort(),
    }
  } finally {
    await workspace?.close()
    await simulator.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

/** The same tools without waiting: pauses between requests and retries cost no wall time here. */
function inHaste(workspace: Workspace): Workspace {
  const connections = new Map<string, LiveConnection>()
  for (const { id, config, secrets } of workspace.configuration.connections) {
    const live = workspace.connections.get(id)
    const endpoint = live?.connector.endpoint?.(config, Object.fromEntries(secrets.names().map((name) => [name, secrets.get(name) ?? ''])))
    if (live === undefined || endpoint === undefined) continue
    const http = openToolHttp(endpoint, {
      connection: id,
      allow: parseAllowList(workspace.configuration.egressAllow),
      now: () => workspace.clock.now(),
      sleep: async () => {},
    })
    connections.set(id, { ...live, http })
  }
  const close = async () => {
    await Promise.all([...connections.values()].map(({ http }) => http.close()))
    await workspace.close()
  }
  return { ...workspace, connections, close }
}

/** Several short interruptions, and one so long that its connection goes blind. */
function planOutages(random: Random, from: number, liveMs: number): Outage[] {
  const outages: Outage[] = []
  const longFrom = from + random.int(2 * 60, Math.max(3 * 60, liveMs / minute - 10 * 60)) * minute
  outages.push({ tool: random.pick(tools), from: longFrom, to: longFrom + random.int(3 * 60, 5 * 60) * minute })
  // The first read may miss one kind of EHR resource, the patients above all: then nobody can be linked to what was read of the others.
  if (random.chance(0.6)) {
    const path = `/${random.pick(['Patient', 'Patient', 'Encounter', 'Appointment', 'Task'])}`
    outages.push({ tool: 'fhir', from, to: from + random.int(5, 30) * minute, path })
  }
  for (const tool of tools) {
    for (let at = from + random.int(1, 4) * hour; at < from + liveMs; at += random.int(3, 7) * hour) {
      const outage: Outage = {
        tool,
        from: at,
        to: at + random.int(2, 15) * minute,
        ...(tool === 'fhir' && random.chance(0.5)
          ? { path: `/${random.pick(['Patient', 'Encounter', 'Communication', 'QuestionnaireResponse'])}` }
          : {}),
      }
      const isApart = outages.every((one) => one.tool !== tool || outage.to + 3 * hour < one.from || one.to + 3 * hour < outage.from)
      if (isApart) outages.push(outage)
    }
  }
  return outages
}

function blindTruths(outages: readonly Outage[]): Truth[] {
  return outages
    .filter(({ from, to }) => to - from > blindAfterMs)
    .map(({ tool, from, to }) => ({
      kind: 'blind',
      expectation: null,
      person: null,
      records: [{ stream: connectionOf[tool], externalId: '*' }],
      from: from + blindAfterMs,
      cameAt: null,
      until: to,
    }))
}

/** The next poll reads everything again: a redelivery of the whole connection. */
async function forgetCursor(databaseUrl: string, connection: string): Promise<void> {
  const owner = openDatabase(databaseUrl, { max: 1 })
  await owner.sql`update streams set cursor = null, pass_mode = null, last_sweep_at = null where connection = ${connection}`.finally(() =>
    owner.close(),
  )
}

async function readFindings(
  databaseUrl: string,
): Promise<(ScoredFinding & { readonly fingerprint: string; readonly isViolated: boolean })[]> {
  const owner = openDatabase(databaseUrl, { max: 1 })
  return owner.sql<(ScoredFinding & { fingerprint: string; isViolated: boolean })[]>`
    select id::text, fingerprint::text, kind, expectation, status, evidence, streams, detail, closed_at is null as "isViolated" from findings`
    .then((rows) => [...rows])
    .finally(() => owner.close())
}
