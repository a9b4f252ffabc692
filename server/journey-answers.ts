import { isOpen } from '../jobs/domain/finding-lifecycle.ts'
import type { JourneyView, QuestionView } from './shapes/journey.ts'

type Answer = QuestionView['answers'][number]
const shown = 3

/** The eight questions every journey answers first, in words; the console and the command line show the same. */
export function answerQuestions(journey: Omit<JourneyView, 'questions'>): QuestionView[] {
  const tool = (connection: string) => journey.lanes.find((lane) => lane.connection === connection)?.title ?? connection
  const open = journey.findings.filter((finding) => isOpen(finding.status))
  const openCount = open.length === 1 ? 'one open finding' : `${open.length} open findings`
  const waiting = journey.ghosts
    .filter((ghost) => ghost.state === 'pending' || ghost.state === 'at_risk')
    .sort((a, b) => (a.dueAt ?? '9').localeCompare(b.dueAt ?? '9'))
  const unknown = journey.verdicts.filter((verdict) => verdict.state === 'unknown')
  const steps = journey.events.filter((event) => event.step !== null && !event.undone)
  const undone = journey.events.filter((event) => event.undone)
  const last = journey.events.at(-1)
  const [next] = waiting
  return [
    {
      asks: 'What occurred',
      answers: or(
        steps
          .slice(-shown)
          .reverse()
          .map((event) => say(`${event.title} in ${tool(event.connection)}`, event.occurredAt, 'good')),
        'No step of the program yet',
      ),
    },
    {
      asks: 'What is pending',
      answers: or(
        waiting
          .slice(0, shown)
          .map((ghost) => say(`${ghost.title} in ${tool(ghost.connection)}`, ghost.dueAt, ghost.state === 'at_risk' ? 'warn' : 'wait')),
        'Nothing is waited for',
      ),
    },
    {
      asks: 'What failed',
      answers: [
        ...or(
          open.slice(0, shown).map((finding) => ({ ...say(finding.sentence, finding.occurredAt, 'bad'), findingId: finding.id })),
          'Nothing that is still open',
        ),
        ...(open.length > shown ? [say(`and ${open.length - shown} more`)] : []),
      ],
    },
    {
      asks: 'What changed',
      answers: or(
        [
          ...undone.slice(-1).map((event) => say(`${event.title} was undone`, event.occurredAt, 'warn')),
          ...(last && last !== undone.at(-1) ? [say(`${last.title} in ${tool(last.connection)}`, last.occurredAt)] : []),
        ],
        'Nothing yet',
      ),
    },
    {
      asks: 'What must happen next',
      answers: next
        ? [say(`${next.title} must appear in ${tool(next.connection)}`, next.dueAt, 'wait')]
        : open[0]
          ? [
              say(
                `${open[0].owner.title} decides about ${openCount}, ${open[0].dueAt < journey.asOf ? 'which was due' : 'due'}`,
                open[0].dueAt,
                'bad',
              ),
            ]
          : [say(journey.endedAt === null ? 'No promise is running' : 'Nothing: the journey has ended')],
    },
    {
      asks: 'Who is responsible',
      answers: or(
        [...new Set(open.map((finding) => finding.owner.title))].map((owner) => say(owner)),
        'Nobody has to act now',
      ),
    },
    { asks: 'Which automations are active', answers: or(automations(journey), 'None seen acting here') },
    {
      asks: 'What is unresolved',
      answers: or(
        [
          ...unknown.slice(0, shown).map((verdict) => say(`${verdict.title}: unknown${unread(verdict)}`, verdict.readTo, 'wait')),
          ...(open.length > 0 ? [say(openCount.charAt(0).toUpperCase() + openCount.slice(1), null, 'bad')] : []),
        ],
        'Nothing: every promise could be judged',
      ),
    },
  ]

  function unread({ unreadStream, readTo, rowsSetAside }: JourneyView['verdicts'][number]): string {
    if (unreadStream === null) return ''
    const name = tool(unreadStream.split('.')[0] ?? unreadStream)
    if (rowsSetAside) return `, rows of ${name} are set aside${readTo === null ? '' : '; it counts as read only to'}`
    return readTo === null ? `, ${name} was never read completely` : `, ${name} is read only to`
  }
}

function automations(journey: Omit<JourneyView, 'questions'>): Answer[] {
  const lastAt = new Map<string, string>()
  for (const { actor, occurredAt } of journey.events) {
    if (actor.kind === 'automation' || actor.kind === 'agent') lastAt.set(actor.id ?? `an unnamed ${actor.kind}`, occurredAt)
  }
  return [...lastAt].slice(-shown).map(([id, at]) => say(id, at))
}

function say(text: string, at: string | null = null, tone: Answer['tone'] = 'plain'): Answer {
  return { text, at, tone, findingId: null }
}

function or(answers: Answer[], otherwise: string): Answer[] {
  return answers.length > 0 ? answers : [say(otherwise)]
}
