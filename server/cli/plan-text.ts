import { foldEqual } from '../../jobs/domain/diff-lines.ts'
import type { BackTestView, PreviewedFindingView, ProgramChangeView, ProgramPlanView } from '../shapes/program.ts'
import { table } from './table.ts'

const signs = { added: '+', changed: '~', removed: '-' } as const
const lineSigns = { same: ' ', added: '+', removed: '-' } as const

/** A plan for a terminal: what changes in words, as text, and by the findings of the last days. */
export function planText(plan: ProgramPlanView, runbooks: readonly RunbookChangeText[]): string {
  const parts = [...plan.changes.map(changeText), ...runbooks.map(runbookText)]
  if (plan.backTest !== null) parts.push(backTestText(plan.backTest))
  parts.push(
    `Plan ${plan.plan}. To carry out exactly this: throughline apply --plan ${plan.plan}${needsDelete(plan) || needsDelete({ changes: runbooks }) ? ' --allow-delete' : ''}`,
  )
  return `${parts.join('\n\n')}\n`
}

export const needsDelete = ({ changes }: { readonly changes: readonly { readonly kind: string }[] }) =>
  changes.some(({ kind }) => kind === 'removed')

function changeText(change: ProgramChangeView): string {
  const lines = [headline(change)]
  if (change.goesBackTo !== null && change.version !== null)
    lines.push(
      `    This brings back the text of version ${change.goesBackTo}: version ${change.version} was applied by ${change.appliedBy} at ${change.appliedAt}.`,
    )
  for (const { what, name, formerName, change: how, sentence, fields } of change.differences) {
    if (what === 'program' && how !== 'changed') continue
    const called = what === 'program' ? 'the program itself' : what === 'step' ? `step ${name}` : name
    lines.push(`  ${signs[how]} ${called}${formerName === null ? '' : ` (was ${formerName})`}${sentence === null ? '' : `: ${sentence}`}`)
    for (const { field, before, after } of fields) lines.push(`      ${field}: ${before ?? 'not said'} → ${after ?? 'not said'}`)
  }
  if (change.differences.length === 0) lines.push('    The text differs; what it promises does not.')
  if (change.kind === 'changed') {
    lines.push('')
    lines.push(...diffLines(change.diff))
  }
  return lines.join('\n')
}

function diffLines(diff: ProgramChangeView['diff']): string[] {
  return foldEqual(diff).map((line) =>
    line.kind === 'folded' ? `    … ${line.lines} lines the same` : `    ${lineSigns[line.kind]} ${line.text}`.trimEnd(),
  )
}

export interface RunbookChangeText extends Pick<ProgramChangeView, 'kind' | 'version' | 'appliedBy' | 'goesBackTo' | 'diff'> {
  readonly runbook: string
}

function runbookText({ runbook, kind, version, appliedBy, goesBackTo, diff }: RunbookChangeText): string {
  if (kind === 'added') return `+ runbook ${runbook}: new`
  if (kind === 'removed')
    return `- runbook ${runbook}: version ${version} is in force and no longer in the folder; nobody could run it any more`
  const lines = [`~ runbook ${runbook}: a new version replaces version ${version}`]
  if (goesBackTo !== null)
    lines.push(`    This brings back the text of version ${goesBackTo}: version ${version} was applied by ${appliedBy}.`)
  return [...lines, '', ...diffLines(diff)].join('\n')
}

function headline({ program, kind, version, differences }: ProgramChangeView): string {
  if (kind === 'added') return `+ program ${program}: new, with ${counted(promises(differences), 'promise')}`
  if (kind === 'removed')
    return `- program ${program}: version ${version} is in force and no longer in the folder; its open findings would be withdrawn`
  return `~ program ${program}: a new version replaces version ${version}`
}

const promises = (differences: ProgramChangeView['differences']) => differences.filter(({ what }) => what === 'expectation').length

function backTestText(test: BackTestView): string {
  if (test.judged === 0 && test.share === 1) return `Back-test: nothing happened in the last ${counted(test.days, 'day')} to ${test.until}.`
  const lines = [
    `Back-test: the last ${counted(test.days, 'day')} to ${test.until}, ${counted(test.judged, 'group')} of records, judged by both.`,
  ]
  if (test.share < 1)
    lines.push(
      `  Sampled: the time was up after ${(test.share * 100).toFixed(test.share < 0.1 ? 1 : 0)} % of all; the counts are of that part.`,
    )
  lines.push(
    table(
      ['  promise', 'findings now', 'then', 'appear', 'vanish', 'stay'],
      test.expectations.map((one) => [
        `  ${one.program}/${one.expectation}${one.formerName === null ? '' : ` (was ${one.formerName})`}`,
        one.before === null ? '–' : String(one.before.findings),
        one.after === null ? '–' : String(one.after.findings),
        one.appear,
        one.vanish,
        one.stay,
      ]),
    ),
  )
  lines.push(
    test.appear + test.vanish === 0
      ? 'No finding would appear or vanish.'
      : `${counted(test.appear, 'finding')} would appear and ${test.vanish} vanish; of those applying opens ${test.onApply.appear} and withdraws ${test.onApply.vanish} at once. The rest is history: journeys that had ended keep their version.`,
  )
  const appearing = test.expectations.flatMap((one) => one.appearing)
  const vanishing = test.expectations.flatMap((one) => one.vanishing)
  if (appearing.length > 0) lines.push('', 'Would appear:', listText(appearing))
  if (vanishing.length > 0) lines.push('', 'Would vanish:', listText(vanishing))
  return lines.join('\n')
}

const shownAtMost = 20

function listText(findings: readonly PreviewedFindingView[]): string {
  const rows = findings.slice(0, shownAtMost).map((one) => [`  ${one.id}`, one.kind, one.occurredAt ?? '', `${one.sentence} ${one.why}`])
  const more = findings.length - shownAtMost
  return `${table(['  id', 'kind', 'since', 'what'], rows)}${more > 0 ? `\n  and ${more} more: --format json lists them` : ''}`
}

export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
