import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Acts } from './acts.ts'
import { calcom } from './calcom/server.ts'
import type { SimulatedClock } from './clock.ts'
import { fhir, fhirPath } from './fhir/server.ts'
import type { Outage, Tool } from './outages.ts'
import { outageOf, tools } from './outages.ts'
import { stripe } from './stripe/server.ts'
import type { RunningTool, ToolDefinition, ToolServerOptions } from './tool-server.ts'
import { serveTool } from './tool-server.ts'
import { accountSid } from './twilio/records.ts'
import { twilio } from './twilio/server.ts'
import { World } from './world.ts'
import type { Write } from './writes.ts'

/** What the demo's connections.yaml expects in the environment; worthless outside the simulator. */
export const demoSecrets = {
  DEMO_STRIPE_KEY: 'sk_test_simulated_4f1c9e2a7b',
  DEMO_CALCOM_KEY: 'cal_simulated_83d0c55e1f',
  DEMO_TWILIO_TOKEN: 'simulated-9c27d1e4b0a6f358',
  DEMO_FHIR_TOKEN: 'simulated-ehr-51fa07c2',
} as const

export const defaultPorts: Readonly<Record<Tool, number>> = { stripe: 4411, calcom: 4412, twilio: 4413, fhir: 4414 }

export interface SimulatorOptions {
  readonly seed: number
  readonly clock: SimulatedClock
  /** When the history begins, epoch ms. */
  readonly startAt: number
  /** Where the truth is written; null: nowhere. */
  readonly dataDir: string | null
  /** 0 takes any free port. */
  readonly ports?: Partial<Record<Tool, number>>
  /** `live`: the demo's own outages; or a list. */
  readonly outages?: 'live' | readonly Outage[]
  /** False in scores and tests, where one asks as fast as one can. */
  readonly rateLimits?: boolean
  readonly wall?: () => number
  readonly observe?: ToolServerOptions['observe']
}

export interface Simulator {
  readonly world: World
  /** What was done through the tools' APIs, and how they disobey. */
  readonly acts: Acts
  readonly tools: Readonly<Record<Tool, RunningTool>>
  /** Base URLs as connections.yaml wants them. */
  readonly urls: Readonly<Record<Tool, string>>
  /** Lets the world catch up with the clock and writes the truth where it grew. */
  tick(): void
  stop(): Promise<void>
}

export { accountSid as demoAccountSid }

/** The demo clinic's tools, each a server on loopback that speaks its vendor's API. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const world = new World({ seed: options.seed, startAt: options.startAt })
  const acts = new Acts(world)
  const wall = options.wall ?? Date.now
  const limited = options.rateLimits !== false
  const limit = (requests: number) => (limited ? requests : Number.POSITIVE_INFINITY)
  const definitions: Record<Tool, ToolDefinition> = {
    stripe: stripe({ world, acts, apiKey: demoSecrets.DEMO_STRIPE_KEY, requestsPerSecond: limit(100), wall }),
    calcom: calcom({ world, acts, apiKey: demoSecrets.DEMO_CALCOM_KEY, requestsPerMinute: limit(120), wall }),
    twilio: twilio({ world, acts, authToken: demoSecrets.DEMO_TWILIO_TOKEN, requestsPerSecond: limit(100), wall }),
    fhir: fhir({ world, acts, token: demoSecrets.DEMO_FHIR_TOKEN }),
  }
  const outages = options.outages ?? []
  const isDown = (tool: Tool) => (now: number, url: string) =>
    outages === 'live'
      ? outageOf(options.seed, world.startAt, now)?.tool === tool
      : outages.some((one) => one.tool === tool && now >= one.from && now < one.to && url.includes(one.path ?? ''))

  const running: Partial<Record<Tool, RunningTool>> = {}
  const stop = async () => void (await Promise.all(Object.values(running).map((tool) => tool.stop())))
  try {
    for (const tool of tools)
      running[tool] = await serveTool(definitions[tool], {
        world,
        clock: options.clock,
        port: options.ports?.[tool] ?? 0,
        isDown: isDown(tool),
        ...(options.observe ? { observe: options.observe } : {}),
      })
  } catch (error) {
    await stop()
    throw error
  }
  let written = -1
  if (options.dataDir !== null) keepActs(world, options.dataDir)
  const tick = () => {
    world.advance(options.clock.now())
    if (options.dataDir === null || world.truths.length === written) return
    written = world.truths.length
    writeWhole(
      join(options.dataDir, 'demo-truth.json'),
      JSON.stringify({ seed: options.seed, startAt: world.startAt, truths: world.truths }, null, 1),
    )
  }
  tick()
  const all = running as Record<Tool, RunningTool>
  return {
    world,
    acts,
    tools: all,
    urls: { stripe: all.stripe.url, calcom: all.calcom.url, twilio: all.twilio.url, fhir: `${all.fhir.url}${fhirPath}` },
    tick,
    stop,
  }
}

const settingsSchema = z.object({ seed: z.number().int(), startAt: z.number() })

/** The seed and beginning of a data folder's demo, chosen at its first start and kept. */
export function demoSettings(dataDir: string, first: () => { seed: number; startAt: number }): { seed: number; startAt: number } {
  const path = join(dataDir, 'demo-world.json')
  try {
    return settingsSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    const settings = first()
    writeWhole(path, JSON.stringify(settings))
    return settings
  }
}

/** What was done in the tools outlives a restart, as the rest of the world does by its seed. */
function keepActs(world: World, dataDir: string): void {
  const path = join(dataDir, 'demo-acts.json')
  if (existsSync(path)) for (const write of JSON.parse(readFileSync(path, 'utf8')) as Write[]) world.act(write)
  world.onAct = () => writeWhole(path, JSON.stringify(world.acts))
}

function writeWhole(path: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(`${path}.tmp`, text)
  renameSync(`${path}.tmp`, path)
}
