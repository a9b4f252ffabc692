import type { Configuration } from './configuration.ts'
import type { Known, KnownStream } from './domain/parse-program.ts'

/** What a program written now may refer to: the streams, owners and runbooks Throughline was started with. */
export function knownToPrograms({
  connections,
  owners,
  runbooks = [],
}: Pick<Configuration, 'connections' | 'owners' | 'runbooks'>): Known & {
  readonly streams: ReadonlyMap<string, KnownStream>
} {
  return {
    streams: new Map(
      connections.flatMap((connection) =>
        connection.streams.map(
          (stream) =>
            [`${connection.id}.${stream.name}`, { fields: stream.shows ?? stream.fields.ops, statuses: stream.statuses }] as const,
        ),
      ),
    ),
    owners: new Set(owners.map(({ key }) => key)),
    ...(runbooks.length === 0 ? {} : { runbooks: new Set(runbooks.map(({ runbook }) => runbook.key)) }),
  }
}
