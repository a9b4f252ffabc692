import { z } from '@hono/zod-openapi'
import { isoTime, ownerShape } from './common.ts'

const place = z.object({ file: z.string(), line: z.int() })
/** in_use: what stands in the file is what is judged by. changed: it was edited since; mistaken: it was, and cannot be read. */
export const fileStates = ['in_use', 'changed', 'mistaken', 'missing'] as const

export const settingsShape = z
  .object({
    asOf: isoTime,
    demo: z.boolean(),
    workspace: z.object({ key: z.string(), title: z.string(), timeZone: z.string(), defaultCountry: z.string().nullable() }),
    directory: z.string(),
    files: z.array(
      z.object({
        file: z.string(),
        holds: z.string(),
        state: z.enum(fileStates),
        problems: z.array(z.object({ line: z.int(), column: z.int(), message: z.string() })),
      }),
    ),
    owners: z.array(ownerShape.extend({ at: place.nullable() })),
    routes: z.array(z.object({ words: z.string(), owner: ownerShape, at: place.nullable() })),
    otherwise: z.object({ owner: ownerShape, at: place.nullable() }),
    sites: z.array(z.object({ key: z.string(), title: z.string(), knownAs: z.array(z.string()), at: place.nullable() })),
    programs: z.array(
      z.object({
        key: z.string(),
        title: z.string(),
        version: z.int().nullable(),
        appliedAt: isoTime.nullable(),
        promises: z.int(),
        at: place.nullable(),
      }),
    ),
    connections: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        connector: z.string(),
        connectorTitle: z.string(),
        owner: ownerShape.nullable(),
        pollSeconds: z.int(),
        blindAfterSeconds: z.int(),
        /** Never the secret, never the name of its variable: only where it comes from and whether it is there. */
        secrets: z.array(z.object({ name: z.string(), from: z.enum(['environment', 'file', 'nowhere']), isSet: z.boolean() })),
        disabled: z.string().nullable(),
        at: place.nullable(),
      }),
    ),
    /** Private addresses that connections may reach, as `host:port`. */
    egressAllow: z.array(z.string()),
  })
  .openapi('Settings')

export const systemShape = z
  .object({
    asOf: isoTime,
    wallNow: isoTime,
    versions: z.object({ throughline: z.string(), node: z.string(), database: z.string(), schema: z.string() }),
    process: z.object({ startedAt: isoTime, memoryBytes: z.number() }),
    database: z.object({
      bytes: z.number(),
      tables: z.array(z.object({ name: z.string(), rows: z.number().nullable(), bytes: z.number() })),
    }),
    engine: z.object({
      lastBeat: isoTime.nullable(),
      isAlive: z.boolean(),
      jobs: z.array(z.object({ job: z.string(), lastRun: isoTime, wall: isoTime })),
      queues: z.array(z.object({ queue: z.string(), status: z.string(), runs: z.int() })),
    }),
    /** Components that wait to be judged, and those set apart because judging them failed. */
    dirty: z.int(),
    parked: z.object({
      count: z.int(),
      first: z.array(z.object({ id: z.string(), reason: z.string(), tries: z.int(), since: isoTime, retryAt: isoTime.nullable() })),
    }),
  })
  .openapi('System')

export const firstStepsShape = z
  .object({
    asOf: isoTime,
    demo: z.boolean(),
    /** A tool of one's own was read to its end. */
    toolRead: z.boolean(),
    /** A program of one's own is in force. */
    program: z.boolean(),
    /** owners.yaml of one's own has a route. */
    route: z.boolean(),
    /** Someone took a finding on. */
    taken: z.boolean(),
  })
  .openapi('FirstSteps')

export const connectorsShape = z
  .object({
    items: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        apiVersion: z.string(),
        /** Against what it was tried: the vendor's service, an emulator of others, or the specification only. */
        verified: z.enum(['real-service', 'outside-emulator', 'spec-only']),
        verifiedOn: z.string(),
        /** Names of the secrets a connection must be given. */
        secrets: z.array(z.string()),
        streams: z.array(
          z.object({
            name: z.string(),
            title: z.string(),
            kept: z.array(z.string()),
            hashed: z.array(z.string()),
            dropped: z.array(z.string()),
          }),
        ),
        configSchema: z.record(z.string(), z.unknown()),
      }),
    ),
  })
  .openapi('Connectors')
