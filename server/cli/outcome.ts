import type { StreamOutcome } from '../../jobs/reconcilers/poll.ts'

const skippedWords = {
  someone_else_has_it: 'is being read by another process',
  waiting: 'waits for as long as the tool asked',
  stopped: 'was stopped',
} as const

export function describeOutcome(outcome: StreamOutcome & { readonly connection: string }): string {
  const name = `${outcome.connection}.${outcome.stream}`
  switch (outcome.kind) {
    case 'complete':
      return `${name}: read ${outcome.read}, ${outcome.changed} changed${describeSetAside(outcome)}`
    case 'failed':
      return `${name}: ${outcome.message}`
    case 'skipped':
      return `${name}: ${skippedWords[outcome.why]}`
  }
}

/** A row that was set aside may be the very one that is missed: it is said, with the first of them. */
function describeSetAside({ setAside: { count, first }, withheld }: Extract<StreamOutcome, { kind: 'complete' }>): string {
  if (withheld !== null) return `, ${count} set aside\n  ${withheld}`
  return first === null ? '' : `, ${count} set aside (${count === 1 ? '' : 'the first: '}${first.where}: ${first.reason})`
}
