import type { FindingRow } from '../db/schema/findings.ts'
import { csvLine, csvMark, type CsvValue } from './csv.ts'
import type { FindingView, ViewContext } from './shapes/finding.ts'
import { toFindingView } from './shapes/finding.ts'

export const exportFormats = ['csv', 'json'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** Column of the CSV file → what stands in it. Times are ISO 8601 in UTC. */
const cells: Readonly<Record<string, (finding: FindingView, ownerReason: string) => CsvValue>> = {
  id: (finding) => finding.id,
  kind: (finding) => finding.kind,
  finding: (finding) => finding.sentence,
  status: (finding) => finding.status,
  severity: (finding) => finding.severity,
  owner: (finding) => finding.owner.key,
  owner_title: (finding) => finding.owner.title,
  owner_reason: (_, ownerReason) => ownerReason,
  claimed_by: (finding) => finding.claimedBy,
  program: (finding) => finding.program,
  expectation: (finding) => finding.expectation,
  site: (finding) => finding.site?.key ?? null,
  tools: (finding) => finding.tools.join(' '),
  subject: (finding) => finding.subjectId,
  journey: (finding) => finding.journeyId,
  object_type: (finding) => finding.object?.type ?? null,
  object_id: (finding) => finding.object?.id ?? null,
  occurred_at: (finding) => finding.occurredAt,
  opened_at: (finding) => finding.openedAt,
  deadline_at: (finding) => finding.deadlineAt,
  due_at: (finding) => finding.dueAt,
  snoozed_until: (finding) => finding.snoozedUntil,
  waived_until: (finding) => finding.waivedUntil,
  closed_at: (finding) => finding.closedAt,
  closed_reason: (finding) => finding.closedReason,
  last_evidence_at: (finding) => finding.lastEvidenceAt,
  violations: (finding) => finding.violations,
  occurrences: (finding) => finding.occurrences,
  regressions: (finding) => finding.regressions,
}

export interface ExportHead {
  readonly asOf: string
  readonly filter: string
}

/** The file in pieces, one per batch: what was not asked for yet is not read yet. */
export async function* writeExport(
  batches: AsyncIterable<readonly FindingRow[]>,
  format: ExportFormat,
  head: ExportHead,
  context: ViewContext,
): AsyncGenerator<string> {
  const write = Object.values(cells)
  if (format === 'csv') {
    yield csvMark + csvLine(Object.keys(cells))
    for await (const batch of batches) {
      yield batch
        .map((row) => {
          const finding = toFindingView(row, context)
          return csvLine(write.map((cell) => cell(finding, row.ownerReason)))
        })
        .join('')
    }
    return
  }
  yield `${JSON.stringify(head).slice(0, -1)},"findings":[`
  let isFirst = true
  for await (const batch of batches) {
    const rows = batch.map((row) => {
      const { can: _, ...finding } = toFindingView(row, context)
      return JSON.stringify({ ...finding, ownerReason: row.ownerReason })
    })
    if (rows.length > 0) yield `${isFirst ? '\n' : ',\n'}${rows.join(',\n')}`
    isFirst = isFirst && rows.length === 0
  }
  yield '\n]}\n'
}

/** Pulled by the reader. One who stops reading for `idleMs` is cut off, so that no connection to the database waits for them. */
export function toByteStream(pieces: AsyncGenerator<string>, idleMs: number, onEnd: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let timer: NodeJS.Timeout | undefined
  let hasEnded = false
  const end = () => {
    clearTimeout(timer)
    if (!hasEnded) onEnd()
    hasEnded = true
  }
  return new ReadableStream(
    {
      async pull(controller) {
        clearTimeout(timer)
        try {
          const { value, done } = await pieces.next()
          if (done) {
            end()
            return controller.close()
          }
          controller.enqueue(encoder.encode(value))
          timer = setTimeout(() => {
            controller.error(new Error('The reader stopped reading.'))
            void pieces.return(undefined).finally(end)
          }, idleMs)
          timer.unref()
        } catch (error) {
          end()
          controller.error(error)
        }
      },
      async cancel() {
        await pieces.return(undefined)
        end()
      },
    },
    { highWaterMark: 1 },
  )
}
