import { readCheckpoints, readHead, readLastEntries, readLastVerification, readUncoveredSince } from '../db/records/audit-chain.ts'
import type { ChainProblem } from '../jobs/domain/audit-chain.ts'
import type { AppDeps } from './deps.ts'
import type { ChainView } from './shapes/audit.ts'
import { iso } from './shapes/common.ts'

const entriesShown = 20

/** How the chain stands, by what was looked at and written outside; nothing is verified here. */
export async function readChain({ workspace, wallNow }: AppDeps): Promise<ChainView> {
  const { sql } = workspace.database
  const [head, entries, look, whole, checkpoints] = await Promise.all([
    readHead(sql, workspace.id),
    readLastEntries(sql, workspace.id, entriesShown),
    readLastVerification(sql, workspace.id),
    readLastVerification(sql, workspace.id, { whole: true }),
    readCheckpoints(sql, workspace.id),
  ])
  const problem = look?.problem ?? null
  // A look from a later entry on vouches for those before it only as far as the whole look it continues.
  const isContinued = whole?.problem === null && look !== undefined && look.fromSeq <= whole.toSeq + 1
  const verifiedTo =
    problem !== null ? look?.toSeq : isContinued ? Math.max(look.toSeq, whole.toSeq) : whole?.problem === null ? whole.toSeq : 0
  return {
    asOf: iso(wallNow()),
    state: problem !== null ? 'broken' : head === undefined ? 'empty' : whole === undefined ? 'unverified' : 'holds',
    head: head === undefined ? null : { entry: head.seq, hash: head.hash, sealedAt: iso(head.sealedAt) },
    entries: entries.map(({ seq, hash, previous, sealedAt, rows }) => ({
      entry: seq,
      hash,
      previous,
      sealedAt: iso(sealedAt),
      rows,
      isVerified: seq <= (verifiedTo ?? 0),
    })),
    verifiedTo: verifiedTo ?? 0,
    lastLook: look === undefined ? null : toView(look),
    lastWhole: whole === undefined ? null : toView(whole),
    checkpoints: await Promise.all(
      checkpoints.map(async ({ target, seq, writtenAt, attempts, nextAt, reason }) => ({
        target,
        entry: seq,
        writtenAt: iso(writtenAt),
        behind: Math.max(0, (head?.seq ?? 0) - seq),
        behindSince: iso(await readUncoveredSince(sql, workspace.id, seq)),
        attempts,
        nextAt: iso(nextAt),
        reason,
      })),
    ),
  }
}

type Look = NonNullable<Awaited<ReturnType<typeof readLastVerification>>>

function toView({ verifiedAt, by, fromSeq, toSeq, rows, checkpointSeq, problem }: Look): NonNullable<ChainView['lastLook']> {
  return {
    at: iso(verifiedAt),
    by,
    from: fromSeq,
    to: toSeq,
    rows,
    checkpoint: checkpointSeq,
    problem: problem && {
      kind: problem.kind as ChainProblem['kind'],
      entry: problem.seq,
      act: problem.row?.replaceAll('-', '') ?? null,
      what: problem.what,
    },
  }
}
