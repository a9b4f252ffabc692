import type { StreamRow } from '../../db/records/streams.ts'
import type { StreamRead } from '../domain/expectations/expectation.ts'

/** By `<connection>.<stream>`: the streams whose records say who this one's records are about. */
export type LinkedBy = ReadonlyMap<string, readonly string[]>

export const addressOf = (stream: Pick<StreamRow, 'connection' | 'name'>) => `${stream.connection}.${stream.name}`

/**
 * How far absence in each stream counts. A record nobody can be linked to yet is as good as unread, so a stream reaches no further than the
 * streams that link it (an encounter knows its patient's number only; the patient's record knows the person).
 */
export function sightOf(streams: readonly StreamRow[], linkedBy: LinkedBy): ReadonlyMap<string, StreamRead> {
  const byAddress = new Map(streams.map((stream) => [addressOf(stream), stream]))
  const readTo = (stream: StreamRow | undefined) =>
    stream === undefined || stream.watermark === null ? null : stream.watermark - stream.lagSeconds * 1000
  return new Map(
    streams.map((stream): [string, StreamRead] => {
      const reaches = [stream, ...(linkedBy.get(addressOf(stream)) ?? []).map((address) => byAddress.get(address))].map(readTo)
      const lagMs = stream.lagSeconds * 1000
      const watermark = reaches.reduce((least, one) => (least === null || one === null ? null : Math.min(least, one)), reaches[0] ?? null)
      const isWithheld = stream.setAsideReason !== null
      return [
        addressOf(stream),
        {
          watermark: watermark === null ? null : watermark + lagMs,
          lagMs,
          final: stream.final && !isWithheld,
          ...(isWithheld ? { setAside: true } : {}),
        },
      ]
    }),
  )
}
