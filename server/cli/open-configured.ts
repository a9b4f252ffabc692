import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { loadConfiguration } from '../../jobs/configuration.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import type { OpeningPrograms } from '../../jobs/apply-programs.ts'
import { type Clock, frozenClock, systemClock } from '../../jobs/domain/clock.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { openWorkspace, type Workspace } from '../../jobs/open-workspace.ts'
import { clockFile, readSharedClock } from '../../jobs/simulator/clock.ts'
import { writeDemoConfiguration } from '../../jobs/simulator/demo-configuration.ts'
import { demoSecrets } from '../../jobs/simulator/simulator.ts'
import { loadWorkspaceKey } from '../../jobs/workspace-key.ts'
import type { ServerConfig } from '../config.ts'
import { readDemoUrls } from './demo-process.ts'
import { readLastConfiguration } from './last-configuration.ts'
import { openRecord } from './open-record.ts'

export interface Configured {
  readonly workspace: Workspace
  readonly ownerUrl: string
  /** Null: the demo. */
  readonly directory: string | null
  close(): Promise<void>
}

export interface OpenOptions {
  /** `--config`; undefined: what was opened last, else the demo. */
  readonly config?: string | undefined
  /** `--now`; undefined: the running clock. */
  readonly now?: number | undefined
  /** Start from an empty record. */
  readonly fresh?: boolean | undefined
  /** What opening does with the programs of the folder; `first` unless told: in force are those that were applied. */
  readonly programs?: OpeningPrograms
  /** Nothing is written. */
  readonly isReadOnly?: boolean
  readonly notice?: (message: string) => void
}

/** The workspace a command works on: its configuration, its database, its clock. */
export async function openConfigured(config: ServerConfig, options: OpenOptions): Promise<Configured> {
  const last =
    options.config === undefined ? await readLastConfiguration(config.dataDir) : { directory: resolve(options.config), now: null }
  const { directory } = last
  const demo = directory === null ? await demoFolder(config.dataDir) : null
  try {
    const configuration =
      demo === null
        ? await loadConfiguration(await existing(directory ?? ''), process.env, connectors)
        : await loadConfiguration(demo, demoSecrets, connectors)
    for (const notice of configuration.notices) options.notice?.(notice)
    const record = await openRecord(config, directory, options.fresh === undefined ? {} : { fresh: options.fresh })
    try {
      const workspace = await openWorkspace({
        configuration,
        connectors,
        ownerUrl: record.ownerUrl,
        workspaceKey: await loadWorkspaceKey({ dataDir: config.dataDir, env: process.env }),
        clock: clockOf(config, directory, options.now ?? last.now),
        actor: 'local-owner',
        programs: options.programs ?? 'first',
        ...(options.isReadOnly === undefined ? {} : { isReadOnly: options.isReadOnly }),
        ...(options.notice === undefined ? {} : { warn: options.notice }),
      })
      return {
        workspace,
        ownerUrl: record.ownerUrl,
        directory,
        close: async () => {
          await workspace.close()
          await record.close()
        },
      }
    } catch (error) {
      await record.close()
      throw error
    }
  } finally {
    if (demo !== null) await rm(demo, { recursive: true, force: true })
  }
}

function clockOf(config: ServerConfig, directory: string | null, now: number | null | undefined): Clock {
  if (now !== null && now !== undefined) return frozenClock(now)
  return directory === null ? readSharedClock(config.dataDir) : systemClock
}

/** The demo's configuration with the addresses its running tools told. */
async function demoFolder(dataDir: string): Promise<string> {
  const urls = await readDemoUrls(dataDir)
  if (urls === null || !(await stat(clockFile(dataDir)).catch(() => null))) {
    throw new AppError(
      'invalid_configuration',
      'There is no demo in this data folder yet. Run npm start once, or name a configuration with --config DIR.',
    )
  }
  return writeDemoConfiguration(await mkdtemp(join(tmpdir(), 'throughline-demo-')), urls)
}

async function existing(directory: string): Promise<string> {
  const found = await stat(directory).catch(() => null)
  if (found?.isDirectory()) return directory
  throw new AppError(
    'invalid_configuration',
    `There is no folder ${directory}. --config names a folder with connections.yaml, owners.yaml and programs/.`,
  )
}
