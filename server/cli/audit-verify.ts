import { resolve } from 'node:path'
import { readHead } from '../../db/records/audit-chain.ts'
import { defaultCheckpointFile, readCheckpointFile, type WrittenCheckpoint } from '../../jobs/audit/checkpoint-file.ts'
import { verifyChain } from '../../jobs/audit/verify-chain.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import type { ServerConfig } from '../config.ts'
import { iso } from '../shapes/common.ts'
import { openConfigured, type OpenOptions } from './open-configured.ts'

export interface AuditVerifyOptions extends OpenOptions {
  /** A file of checkpoints, or the body of one webhook; without it the file that checkpoints are appended to. */
  readonly checkpoint?: string | undefined
}

const sayEveryMs = 5_000
const terminalEveryMs = 200

/** Reads the whole audit chain against the checkpoints. 0: it holds, 2: it does not, and the first bad entry is named. */
export async function auditVerify(
  config: ServerConfig,
  options: AuditVerifyOptions,
  say: (line: string) => void,
  out: NodeJS.WriteStream = process.stderr,
): Promise<number> {
  const { checkpoint, ...open } = options
  const opened = await openConfigured(config, { ...open, programs: 'none', isReadOnly: true })
  try {
    const { workspace, ownerUrl } = opened
    const { sql } = workspace.database
    const path =
      checkpoint === undefined
        ? (workspace.configuration.audit?.file ?? defaultCheckpointFile(config.dataDir, ownerUrl))
        : resolve(checkpoint)
    const checkpoints = await readCheckpointFile(path, workspace.key)
    if (checkpoint !== undefined && (checkpoints?.length ?? 0) === 0)
      throw new AppError('invalid_input', `There is no checkpoint of workspace ${workspace.key} in ${path}.`)
    const head = await readHead(sql, workspace.id)
    const progress = progressOf(head?.seq ?? 0, out)
    const seen = await verifyChain(sql, workspace.id, {
      by: 'command line',
      checkpoints: checkpoints ?? [],
      onProgress: progress.report,
    }).finally(progress.end)
    const compared = describe(checkpoints, path)
    if (seen.problem !== null) {
      const { kind, seq, row, what } = seen.problem
      say(
        `The audit chain does not hold: ${kind}${seq === null ? '' : `, first at entry ${seq}`}${row === null ? '' : `, audit row ${row}`}.`,
      )
      say(what)
      say(seen.to === 0 ? 'Nothing before it could be checked.' : `Entries 1 to ${seen.to} before it hold. ${compared}`)
      return 2
    }
    if (seen.to === 0) say(`There is no entry yet. ${compared}`)
    else {
      say(`The audit chain holds: ${seen.to} entries over ${seen.rows} audit rows, the last sealed at ${iso(head?.sealedAt ?? 0)}.`)
      say(compared)
      say(`Head: entry ${seen.to}, ${seen.hash}`)
    }
    return 0
  } finally {
    await opened.close()
  }
}

function describe(checkpoints: readonly WrittenCheckpoint[] | undefined, path: string): string {
  const last = checkpoints?.at(-1)
  return last === undefined
    ? `Compared with no checkpoint: there is none in ${path}. A tail that was cut off would not be seen; give one with --checkpoint.`
    : `Compared with ${checkpoints?.length === 1 ? 'the checkpoint' : `${checkpoints?.length} checkpoints`} in ${path}, the last of entry ${last.seq}, written ${last.writtenAt}.`
}

function progressOf(total: number, out: NodeJS.WriteStream) {
  let saidAt = Date.now()
  let isOpen = false
  return {
    report: ({ entries, rows }: { readonly entries: number; readonly rows: number }) => {
      const now = Date.now()
      if (now - saidAt < (out.isTTY ? terminalEveryMs : sayEveryMs)) return
      saidAt = now
      isOpen = out.isTTY
      const line = `Read ${entries} of ${total} entries, ${rows} audit rows`
      out.write(out.isTTY ? `\r\u001b[K${line}` : `${line}\n`)
    },
    end: () => {
      if (isOpen) out.write('\r\u001b[K')
    },
  }
}
