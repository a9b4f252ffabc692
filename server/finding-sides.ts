import { z } from '@hono/zod-openapi'
import type { EvidenceRow, FindingRow } from '../db/schema/findings.ts'
import type { StreamRead } from '../jobs/domain/expectations/expectation.ts'
import { deadline, earliest, type Names, spokenField, state as stateName, times } from '../jobs/domain/finding-kinds/words.ts'
import type { Expectation, Program } from '../jobs/domain/program.ts'
import { iso, isoTime } from './shapes/common.ts'
import { connectionOf } from './shapes/finding.ts'

export const sideShape = z
  .object({
    connection: z.string(),
    title: z.string(),
    expected: z.string().nullable(),
    observed: z.string().nullable(),
    /** ok: agrees with the promise; wrong: contradicts it; missing: read and not there; unread: not read far enough to say. */
    state: z.enum(['ok', 'wrong', 'missing', 'unread']),
    at: isoTime.nullable(),
    readTo: isoTime.nullable(),
    authority: z.boolean(),
  })
  .openapi('Side')
export type Side = z.output<typeof sideShape>

export interface SidesInput {
  readonly finding: FindingRow
  readonly program: Program | undefined
  readonly expectation: Expectation | undefined
  readonly streams: ReadonlyMap<string, StreamRead>
  readonly names: Names
}

/** Expected against observed, one column per tool. */
export function sidesOf(input: SidesInput): Side[] {
  const { finding, program, expectation, names } = input
  const name = (step: string) => `“${names.step(step)}”`
  const streamOf = (step: string) => program?.steps.get(step)?.stream ?? null
  const evidence = (role: EvidenceRow['role']) => finding.evidence.filter((item) => item.role === role)
  const side = sideMaker(input)
  switch (expectation?.kind) {
    case 'follows': {
      const [anchor] = evidence('anchor')
      const came = evidence('expected').at(-1) ?? evidence('observed').at(-1)
      const observed = finding.kind === 'gap' ? null : came
      return merged([
        side(anchor?.stream ?? streamOf(expectation.after), name(expectation.after), stateWords(anchor), 'ok', anchor),
        side(
          streamOf(expectation.expect) ?? came?.stream ?? null,
          finding.kind === 'early' && expectation.notBefore !== null
            ? `${name(expectation.expect)} not before ${earliest(expectation.notBefore)}`
            : `${name(expectation.expect)}${deadline({ ...finding.detail, after: null }, names)}`,
          finding.kind === 'wrong_variant'
            ? `${spokenField(String(finding.detail.field))} is ${stateName(String(finding.detail.observed))}`
            : observed
              ? `${stateWords(observed)}${comings[finding.kind] ?? ''}`
              : null,
          observed ? 'wrong' : 'missing',
          observed ?? undefined,
        ),
      ])
    }
    case 'agree': {
      const authority = expectation.authority
      const wanted = finding.detail.authorityValue
      return expectation.sides.map(({ stream, field }) => {
        const address = `${stream}.${field}`
        const item = evidence('side').find((one) => one.stream === stream)
        const value = finding.detail[address]
        const isAuthority = address === authority
        return {
          ...side(
            stream,
            isAuthority ? null : `to agree with ${wanted === undefined || wanted === null ? 'the authority' : states(String(wanted))}`,
            value === undefined || value === null || value === 'nothing' ? null : states(String(value)),
            isAuthority ? 'ok' : 'wrong',
            item,
          ),
          authority: isAuthority,
        }
      })
    }
    case 'at_most': {
      const culprits = Map.groupBy(evidence('culprit'), (item) => item.stream)
      return [...culprits].map(([stream, items]) =>
        side(
          stream,
          `${name(expectation.of)} at most ${times(expectation.limit)}`,
          `${times(items.length)}${actorsOf(items)}`,
          'wrong',
          items.at(-1),
        ),
      )
    }
    case 'order': {
      const then = evidence('anchor')[0]
      return merged([
        side(
          streamOf(expectation.first),
          `${name(expectation.first)} before ${name(expectation.then)}`,
          stateWords(evidence('observed')[0]),
          evidence('observed').length > 0 ? 'wrong' : 'missing',
          evidence('observed')[0],
        ),
        side(then?.stream ?? streamOf(expectation.then), null, stateWords(then) ?? name(expectation.then), 'wrong', then),
      ])
    }
    case 'never': {
      const forbidden = evidence('anchor')[0] ?? evidence('culprit')[0]
      const after = evidence('observed')[0]
      return merged([
        ...(expectation.after === null
          ? []
          : [side(after?.stream ?? streamOf(expectation.after), null, stateWords(after) ?? name(expectation.after), 'ok' as const, after)]),
        side(
          forbidden?.stream ?? streamOf(expectation.never),
          `no ${name(expectation.never)}`,
          stateWords(forbidden) ?? name(expectation.never),
          'wrong',
          forbidden,
        ),
      ])
    }
    case 'stuck':
    case 'belongs':
    case undefined:
      return merged(
        finding.evidence.map((item) => side(item.stream, null, stateWords(item), finding.kind === 'blind' ? 'unread' : 'wrong', item)),
      )
  }
}

function sideMaker({ streams, names }: SidesInput) {
  return (
    stream: string | null,
    expected: string | null,
    observed: string | null,
    state: Side['state'],
    evidence: EvidenceRow | undefined,
  ): Side => {
    const connection = connectionOf(stream ?? 'unknown')
    const read = stream === null ? undefined : streams.get(stream)
    return {
      connection,
      title: names.tool(connection),
      expected,
      observed,
      state,
      at: iso(evidence?.occurredAt ?? null),
      readTo: read === undefined || read.watermark === null ? null : iso(read.watermark - read.lagMs),
      authority: false,
    }
  }
}

/** One column per tool: what is said about it twice stands in one. */
function merged(sides: readonly Side[]): Side[] {
  const byConnection = Map.groupBy(sides, (side) => side.connection)
  return [...byConnection.values()].map((same) =>
    same.reduce((one, other) => ({
      ...other,
      expected: joined(one.expected, other.expected),
      observed: joined(one.observed, other.observed),
      state: other.state === 'ok' ? one.state : other.state,
      at: other.at ?? one.at,
    })),
  )
}

function joined(one: string | null, other: string | null): string | null {
  return one === null || one === other ? other : other === null ? one : `${one}, then ${other}`
}

function stateWords(evidence: EvidenceRow | undefined): string | null {
  if (evidence === undefined) return null
  const { status, eventType } = evidence
  return status !== null ? stateName(status) : eventType === null ? null : eventType.slice(eventType.indexOf('.') + 1).replaceAll('_', ' ')
}

function states(values: string): string {
  return values.split(', ').map(stateName).join(' and ')
}

/** How it came, where it did not come as promised. */
const comings: Readonly<Record<string, string>> = { late: ', too late', early: ', too early' }

function actorsOf(evidence: readonly EvidenceRow[]): string {
  const actors = [...new Set(evidence.flatMap((item) => item.actor?.id ?? []))]
  return actors.length === 0 ? '' : `, by ${actors.join(' and ')}`
}
