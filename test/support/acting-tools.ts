import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfiguration } from '../../jobs/configuration.ts'
import type { ActContext, Connector, PollPage, ReadRecord, StoredRecord, ToolAction } from '../../jobs/connectors/connector.ts'
import { parseAllowList } from '../../jobs/connectors/guard.ts'
import type { HttpLimits, ToolHttp } from '../../jobs/connectors/http.ts'
import { openToolHttp } from '../../jobs/connectors/http.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import { manualClock } from '../../jobs/simulator/clock.ts'
import { writeDemoConfiguration } from '../../jobs/simulator/demo-configuration.ts'
import type { Tool } from '../../jobs/simulator/outages.ts'
import { demoSecrets, type Simulator, startSimulator } from '../../jobs/simulator/simulator.ts'
import { day } from '../../jobs/simulator/times.ts'
import type { GuardedTool } from './spec-guard.ts'
import { openSpecGuard } from './spec-guard.ts'

const startAt = Date.parse('2026-03-01T00:00:00Z')
const connectionOf: Readonly<Record<Tool, string>> = { stripe: 'billing', calcom: 'booking', twilio: 'texts', fhir: 'ehr' }

/** The demo clinic's tools with its own configuration, to act on and to read as the engine would. */
export interface ActingTools {
  readonly simulator: Simulator
  readonly clock: ReturnType<typeof manualClock>
  /** What the vendors' own descriptions find wrong with what was asked and answered. */
  readonly problems: ReadonlySet<string>
  advance(ms: number): void
  context(tool: Tool, http?: ToolHttp): ActContext
  http(tool: Tool, limits?: Partial<HttpLimits>): ToolHttp
  /** Spoken to a port where nobody listens. */
  gone(tool: Tool): ToolHttp
  action(tool: Tool, name: string): ToolAction
  /** The stream as it is stored after one more pass. */
  read(tool: Tool, stream: string, mode?: 'full' | 'incremental'): Promise<ReadonlyMap<string, StoredRecord>>
  close(): Promise<void>
}

export async function openActingTools(seed: number): Promise<ActingTools> {
  const clock = manualClock(startAt + 12 * day)
  const guard = openSpecGuard()
  const problems = new Set<string>()
  const simulator = await startSimulator({
    seed,
    clock,
    startAt,
    dataDir: null,
    rateLimits: false,
    observe: (tool, request, response) => {
      if (!guard || (response.status === 200 && isErrorBody(response.body))) return
      const name = tool as GuardedTool
      const answer: unknown = typeof response.body === 'string' ? response.body : JSON.parse(JSON.stringify(response.body))
      for (const problem of [
        ...guard.request(name, request.method, request.url, request.headers, request.body),
        ...guard.response(name, request.method, request.url, response.status, answer),
      ])
        problems.add(`${request.method} ${request.url.split('?')[0]}: ${problem}`)
    },
  })
  const directory = await mkdtemp(join(tmpdir(), 'throughline-acts-'))
  const configuration = await loadConfiguration(writeDemoConfiguration(directory, simulator.urls, 100), demoSecrets, connectors)
  await rm(directory, { recursive: true, force: true })
  const opened: ToolHttp[] = []
  const stored = new Map<string, { cursor: unknown; records: Map<string, ReadRecord> }>()

  const connectionFor = (tool: Tool) => {
    const connection = configuration.connections.find(({ id }) => id === connectionOf[tool])
    const connector = connectors.find((one) => one.describe().id === connection?.connector)
    if (!connection || !connector?.endpoint) throw new Error(`The demo has no connection of ${tool}.`)
    const secrets = Object.fromEntries(connection.secrets.names().map((name) => [name, connection.secrets.get(name) ?? '']))
    return { connection, connector: connector as Connector, endpoint: connector.endpoint(connection.config, secrets) }
  }
  const open = (tool: Tool, baseUrl: string | null, limits: Partial<HttpLimits>) => {
    const { endpoint } = connectionFor(tool)
    const http = openToolHttp(baseUrl === null ? endpoint : { ...endpoint, baseUrl }, {
      connection: connectionOf[tool],
      allow: parseAllowList([...configuration.egressAllow, ...(baseUrl === null ? [] : [new URL(baseUrl).host])]),
      now: () => clock.now(),
      sleep: async () => {},
      limits,
    })
    opened.push(http)
    return http
  }
  const usual = new Map<Tool, ToolHttp>()
  const tools: ActingTools = {
    simulator,
    clock,
    problems,
    advance(ms) {
      clock.advanceTo(clock.now() + ms)
      simulator.tick()
    },
    http: (tool, limits = {}) => open(tool, null, limits),
    gone: (tool) => open(tool, 'http://127.0.0.1:1/fhir/R4', {}),
    context(tool, http) {
      const usually = http ?? usual.get(tool) ?? open(tool, null, {})
      if (http === undefined) usual.set(tool, usually)
      const { connection } = connectionFor(tool)
      return { connection: connection.id, config: connection.config, http: usually, now: clock.now(), signal: new AbortController().signal }
    },
    action(tool, name) {
      const action = connectionFor(tool).connector.actions?.find((one) => one.name === name)
      if (!action) throw new Error(`${tool} has no action ${name}.`)
      return action
    },
    async read(tool, stream, mode = 'incremental') {
      const { connector } = connectionFor(tool)
      const key = `${tool}.${stream}`
      const state = stored.get(key) ?? { cursor: null, records: new Map<string, ReadRecord>() }
      stored.set(key, state)
      for (let page: PollPage | null = null; !page?.coverage.complete; ) {
        page = await connector.poll(tools.context(tool), stream, state.cursor, { pageSize: 200, mode })
        state.cursor = page.cursor
        for (const record of page.records) {
          const before = state.records.get(record.externalId)
          if (before === undefined || isLater(record, before)) state.records.set(record.externalId, record)
        }
      }
      return new Map([...state.records].map(([id, record]) => [id, asStored(stream, record)]))
    },
    async close() {
      await Promise.all(opened.map((http) => http.close()))
      await simulator.stop()
    },
  }
  return tools
}

/** Versions win by change time, then by the tool's own version (semantics.md 2). */
function isLater(record: ReadRecord, before: ReadRecord): boolean {
  if (record.updatedAt !== before.updatedAt) return record.updatedAt > before.updatedAt
  return (record.version ?? '') >= (before.version ?? '')
}

function asStored(stream: string, { externalId, status, ops, deleted, updatedAt }: ReadRecord): StoredRecord {
  return { stream, externalId, status, ops: JSON.parse(JSON.stringify(ops)), isDeleted: deleted === true, updatedAt }
}

function isErrorBody(body: unknown): boolean {
  const { error, code, resourceType, status } = body as Record<string, unknown>
  return error !== undefined || (typeof code === 'number' && typeof status === 'number') || resourceType === 'OperationOutcome'
}
