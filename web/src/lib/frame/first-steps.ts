import type { FirstSteps } from '../api-types.ts'
import { paths } from '../paths.ts'
import type { Visited } from './recent.ts'

export interface FirstStep {
  readonly id: string
  readonly title: string
  readonly why: string
  readonly href: string
  readonly isDone: boolean
}

/** The first steps and which of them were taken: by what the workspace shows, what this browser opened, or was done before. */
export function firstStepsOf(known: FirstSteps, visited: readonly Visited[], doneBefore: readonly string[]): FirstStep[] {
  const opened = (folder: string) => visited.some(({ href }) => href.startsWith(`/${folder}/`))
  const own = known.demo ? ' The demo has its own already.' : ''
  const steps: FirstStep[] = [
    {
      id: 'finding',
      title: 'Open a finding',
      why: 'A promise that was broken: what was expected, what the tools show, and how far each was read.',
      href: paths.findings(),
      isDone: opened('findings'),
    },
    {
      id: 'journey',
      title: 'Follow one journey',
      why: 'Everything that happened to one person across all tools, on one line of time.',
      href: paths.journeys({ open: 'true' }),
      isDone: opened('journeys'),
    },
    {
      id: 'taken',
      title: 'Acknowledge a finding',
      why: 'Press a on it: others see that someone has it. Nothing changes in any tool.',
      href: paths.findings(),
      isDone: known.taken,
    },
    {
      id: 'tool',
      title: 'Connect your first tool',
      why: `A key that may read, and six lines of YAML. A CSV export is enough to begin.${own}`,
      href: paths.helpPage('connect'),
      isDone: known.toolRead,
    },
    {
      id: 'program',
      title: 'Write your first expectation',
      why: `What must follow what, and by when, tried on your own history before anything is applied.${own}`,
      href: paths.writeExpectation(),
      isDone: known.program,
    },
    {
      id: 'route',
      title: 'Say who gets what',
      why: `Routes in owners.yaml give each kind of finding to the team that can mend it.${own}`,
      href: `${paths.settings()}#routes`,
      isDone: known.route,
    },
  ]
  return steps.map((step) => ({ ...step, isDone: step.isDone || doneBefore.includes(step.id) }))
}
