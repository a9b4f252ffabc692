import type { Configuration } from './configuration.ts'
import type { Known, KnownStream } from './domain/parse-program.ts'

/** What a program written now may refer to: the streams and owners Throughline was started with. */
export function knownToPrograms({ connections, owners }: Pick<Configuration, 'connections' | 'owners'>): Known & {
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
  }
}
