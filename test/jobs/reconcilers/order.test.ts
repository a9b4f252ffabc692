import { expect, it } from 'vitest'
import type { ReadRecord } from '../../../jobs/connectors/connector.ts'
import { seal } from '../../../jobs/domain/plain.ts'
import type { Workspace } from '../../../jobs/open-workspace.ts'
import { judge, poll, reconcile } from '../../../jobs/reconcilers/reconcile.ts'
import { type Random, randomFrom } from '../../../jobs/simulator/random.ts'
import { withDatabase } from '../../support/database.ts'
import { movedClock, openPagedWorkspace, readOutcome } from '../../support/paged-workspace.ts'
import { type ScriptedTool, scriptedConnector } from '../../support/scripted-tool.ts'
import { generateWorld, type ScriptedWorld, type WorldTool, worldProgram, worldTools } from '../../support/scripted-world.ts'

const main = await withDatabase()
const full = process.env.THROUGHLINE_FULL === '1'
const worlds = full ? 1_000 : 25
const people = 15
const firstSeed = Number(process.env.THROUGHLINE_SEED ?? 1)
/** Worlds are workspaces of one database, so that they also must not see each other; a new one now and then keeps it small. */
const worldsPerDatabase = 50

type Tools = Record<WorldTool, ScriptedTool>
let ownerUrl = ''

function toolsOf(world: ScriptedWorld, now: number, disorder: Random | null): Tools {
  const toTool = (tool: WorldTool): ScriptedTool => ({ versions: world.versions[tool], now, disorder })
  return { booking: toTool('booking'), texts: toTool('texts'), billing: toTool('billing') }
}

const urls = Object.fromEntries(worldTools.map((tool) => [tool, tool]))

/** Fingerprints are compared between workspaces, so all of them judge under one name. */
async function open(key: string, tools: Tools, clock: { at: number; now: () => number }): Promise<Workspace> {
  const workspace = await openPagedWorkspace({
    ownerUrl,
    clock,
    tools: urls,
    program: worldProgram,
    key,
    connector: scriptedConnector(tools),
  })
  return { ...workspace, judging: { ...workspace.judging, workspaceKey: 'one' } }
}

/** Our own sight (`blind`) depends on when one looked: it is compared at the end only, where it is empty. */
async function outcomeOf(workspace: Workspace) {
  const outcome = await readOutcome(workspace)
  return { ...outcome, violated: outcome.violated.filter((one) => !one.endsWith('|blind')) }
}

async function calmly(key: string, world: ScriptedWorld) {
  const workspace = await open(key, toolsOf(world, world.endAt, null), movedClock(world.endAt))
  await reconcile(workspace)
  const outcome = await readOutcome(workspace)
  await workspace.close()
  return outcome
}

async function inDisorder(key: string, world: ScriptedWorld, random: Random) {
  const clock = movedClock(world.startAt)
  const tools = toolsOf(world, clock.at, random)
  let workspace = await open(key, tools, clock)
  const readTo = (tool: WorldTool) => {
    tools[tool].now = clock.at
    return tool
  }
  const acts: readonly (() => Promise<unknown>)[] = [
    () => poll(workspace, readTo(random.pick(worldTools))),
    () => poll(workspace, readTo(random.pick(worldTools))),
    () => judge(workspace),
    () => reconcileSome(),
    // A pass cut off after a few pages; the next poll carries it on.
    async () => {
      const stop = new AbortController()
      let pages = random.int(1, 3)
      await poll(workspace, readTo(random.pick(worldTools)), {
        signal: stop.signal,
        onProgress: () => {
          if (--pages === 0) stop.abort()
        },
      })
    },
    async () => {
      await workspace.close()
      workspace = await open(key, tools, clock)
    },
  ]
  const reconcileSome = () =>
    Promise.all([...worldTools.filter(() => random.chance(0.6)).map((tool) => poll(workspace, readTo(tool))), judge(workspace)])
  const rounds = random.int(4, 9)
  for (let round = 1; round <= rounds; round++) {
    clock.at = Math.max(clock.at, world.startAt + Math.floor(((world.endAt - world.startAt) * (round - random.next())) / rounds))
    for (let n = random.int(1, 3); n > 0; n--) await random.pick(acts)()
  }
  clock.at = world.endAt
  // Twice: the first may carry on a pass that began before the end.
  for (let n = 0; n < 2; n++) {
    for (const tool of worldTools) readTo(tool)
    await reconcile(workspace)
  }
  const outcome = await readOutcome(workspace)
  await workspace.close()
  return outcome
}

it(`P17: ${worlds} worlds in random order, batching, redelivery and restarts end as one calm run`, {
  timeout: full ? 7_200_000 : 600_000,
}, async () => {
  let violated = 0
  let subjects = 0
  for (let n = 0; n < worlds; n++) {
    if (n % worldsPerDatabase === 0) ownerUrl = await main.another()
    const seed = firstSeed + n
    const world = generateWorld(seed, people)
    const calm = await calmly(`calm-${seed}`, world)
    const disordered = await inDisorder(`wild-${seed}`, world, randomFrom(seed, 'disorder'))
    expect(disordered, `seed ${seed}`).toEqual(calm)
    violated += calm.violated.length
    subjects += calm.subjects.length
  }
  expect(violated / worlds).toBeGreaterThan(5)
  expect(subjects / worlds).toBeGreaterThan(people / 2)
})

/** Row versions of what judging writes. */
async function rowVersions(workspace: Workspace) {
  return workspace.database.sql`
    select 'finding' as what, id::text as id, xmin::text as version from findings where workspace_id = ${workspace.id}
    union all select 'journey', id::text, xmin::text from journeys where workspace_id = ${workspace.id}
    union all select 'subject', id::text, xmin::text from subjects where workspace_id = ${workspace.id}
    union all select 'verdict', concat_ws('|', component_id, expectation, activation), xmin::text from verdicts where workspace_id = ${workspace.id}
    order by 1, 2`
}

const steps = full ? 20 : 5
it('P17: judging step by step equals judging from scratch, and judging again writes nothing', { timeout: 600_000 }, async () => {
  ownerUrl = await main.another()
  for (const seed of full ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] : [1, 2]) {
    const random = randomFrom(seed, 'steps')
    const world = generateWorld(100_000 + seed, people)
    const clock = movedClock(world.startAt)
    const tools = toolsOf(world, clock.at, random)
    const workspace = await open(`steps-${seed}`, tools, clock)
    const readTo = new Map<WorldTool, number>()
    for (let step = 1; step <= steps; step++) {
      clock.at = world.startAt + Math.floor(((world.endAt - world.startAt) * step) / steps)
      for (const tool of worldTools) {
        if (!random.chance(0.6)) continue
        tools[tool].now = clock.at - random.int(0, 3_600_000)
        await poll(workspace, tool)
        readTo.set(tool, tools[tool].now)
      }
      await judge(workspace)
      const outcome = await outcomeOf(workspace)

      const fresh = toolsOf(world, 0, null)
      for (const [tool, at] of readTo) fresh[tool].now = at
      const scratch = await open(`scratch-${seed}-${step}`, fresh, clock)
      for (const tool of readTo.keys()) await poll(scratch, tool)
      await judge(scratch)
      expect(outcome, `seed ${seed}, step ${step}`).toEqual(await outcomeOf(scratch))
      await scratch.close()

      const before = await rowVersions(workspace)
      await workspace.database.sql`insert into dirty_components (workspace_id, part, component_id)
        select workspace_id, part, id from components where workspace_id = ${workspace.id} and merged_into is null`
      await judge(workspace)
      expect(await rowVersions(workspace)).toEqual(before)
    }
    await workspace.close()
  }
})

/** One record of one tool, read version by version in the order given. */
async function readOneByOne(versions: readonly ReadRecord[]) {
  const clock = movedClock(Date.parse('2026-03-03T09:00:00Z'))
  const tool: { versions: readonly ReadRecord[]; now: number; disorder: null } = { versions: [], now: clock.at, disorder: null }
  const workspace = await openPagedWorkspace({
    ownerUrl: await main.another(),
    clock,
    tools: { booking: 'booking', texts: 'texts' },
    connector: scriptedConnector({ booking: tool, texts: tool }),
  })
  for (const version of versions) {
    tool.versions = [version]
    // As if the overlap reached back to it.
    await workspace.database.sql`update streams set cursor = null, pass_mode = null, last_sweep_at = now()`
    await poll(workspace, 'booking')
  }
  const events = await workspace.database.sql<{ row: string }[]>`select concat_ws('|', type, status) as row from events order by type`
  const [record] = await workspace.database.sql`select status, count(*) over ()::int as n from records`
  const hot = await workspace.database.sql`select count(*)::int as n from identifiers where hot`
  await workspace.close()
  return { events: events.map(({ row }) => row), record, hot: hot[0]?.n }
}

function versionOf(minute: number, events: readonly (readonly [string, string])[], more: Partial<ReadRecord> = {}): ReadRecord {
  const at = Date.parse('2026-03-02T09:00:00Z')
  return {
    externalId: 'r1',
    updatedAt: at + minute * 60_000,
    version: null,
    status: 'accepted',
    ops: {},
    objects: [],
    person: null,
    events: events.map(([type, status]) => ({ type, status, occurredAt: at, actor: { kind: 'unknown', id: null } })),
    ...more,
  }
}

it('semantics 2: of an event stated A, B and A again, the newest statement stands in every order', async () => {
  const [a, b, again] = [versionOf(1, [['created', 'a']]), versionOf(2, [['created', 'b']]), versionOf(3, [['created', 'a']])]
  for (const order of [
    [a, b, again],
    [a, again, b],
    [b, again, a],
    [again, b, a],
  ])
    expect((await readOneByOne(order)).events).toEqual(['created|a'])
})

it('semantics 2: two readings of one second that differ in their events only lose neither', async () => {
  const [one, other] = [
    versionOf(1, [['created', 'a']]),
    versionOf(1, [
      ['created', 'a'],
      ['seen', 'b'],
    ]),
  ]
  expect((await readOneByOne([one, other])).events).toEqual(['created|a', 'seen|b'])
  expect((await readOneByOne([other, one])).events).toEqual(['created|a', 'seen|b'])
})

it('a key is hot by the names of every version, also those that lost', async () => {
  const named = (given: string, minute: number) =>
    versionOf(minute, [], { person: seal({ role: 'self', phones: ['+12124440100'], name: { given, family: 'Doe' } }) })
  const versions = ['Ann', 'Bob', 'Cid', 'Dora', 'Emil'].map((given, minute) => named(given, minute))
  expect(await readOneByOne(versions)).toMatchObject({ hot: 1 })
  expect(await readOneByOne(versions.toReversed())).toMatchObject({ hot: 1 })
})
