/** Places where a test may end, stop or break this process, to show that nothing is lost or done twice (harness H3). */
export const failpoints = [
  'poll.fetched',
  'poll.upserted',
  'poll.cursor',
  'poll.committed',
  'judge.loaded',
  'judge.written',
  'judge.committed',
] as const
/** Those of a run, in the order a run meets them. */
export const runFailpoints = [
  'run.taken',
  'run.looked',
  'run.step.begun',
  'run.step.before-call',
  'run.step.after-call',
  'run.step.recorded',
  'run.verifying',
  'run.ended',
] as const
export type Failpoint = (typeof failpoints)[number] | (typeof runFailpoints)[number]

/** `THROUGHLINE_FAILPOINT=poll.upserted:kill:3`: the third time this place is reached. Actions: kill (SIGKILL self) and throw. */
const [armed, action, nth] = (process.env.THROUGHLINE_FAILPOINT ?? '').split(':')
let left = Number(nth ?? 1)

export function failpoint(name: Failpoint): void {
  if (name !== armed || --left > 0) return
  if (action === 'kill') process.kill(process.pid, 'SIGKILL')
  throw new Error(`Failpoint ${name}`)
}
