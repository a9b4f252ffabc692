import { paths } from '#lib/paths.ts'

/** Which page answers which question. A page that is not in the navigation is left out. */
export const pageAnswers: readonly { readonly href: string; readonly question: string; readonly answer: string }[] = [
  {
    href: '/',
    question: 'Is anything falling through, and can I trust this picture?',
    answer: 'What is open, for whom, who has it, what is due next, and how far every tool was read.',
  },
  {
    href: paths.findings(),
    question: 'What needs someone, and who has it?',
    answer: 'Every broken promise with its owner, severity and due time. Filter, take, snooze, assign, or export.',
  },
  {
    href: paths.journeys(),
    question: 'Where does this person stand?',
    answer: 'One pass of one person through a program: what occurred, what is missing, what comes next, across all tools.',
  },
  {
    href: '/map',
    question: 'Where in the program do people get lost?',
    answer: 'The steps as a graph, with how many went each way, how long it took, and the gaps on each edge.',
  },
  {
    href: '/expectations',
    question: 'Which promises are kept?',
    answer: 'Each promise with how often it was kept, broken or unknown, and how far its streams can see.',
  },
  {
    href: paths.connections(),
    question: 'How far was each tool read?',
    answer: 'State, last complete pass, what was set aside, and what to do when a tool refuses.',
  },
  {
    href: '/reports',
    question: 'What changed on a day?',
    answer: 'The daily gap report: what was open, opened, ended, handed over, and what was not read. It adds up.',
  },
  {
    href: '/programs',
    question: 'What is promised, since when?',
    answer: 'Each program as its YAML, its versions, and what a change would do to the last days.',
  },
  {
    href: '/settings',
    question: 'What is configured, and where?',
    answer: 'Owners, routes, connections and programs with their file and line, and how Throughline itself is.',
  },
]

/** The life of a finding, as the console names it. */
export const life: readonly { readonly status: string; readonly meaning: string }[] = [
  { status: 'open', meaning: 'A promise is broken: the deadline has passed, and every stream that could show the step was read past it.' },
  {
    status: 'acknowledged',
    meaning: 'Someone has seen it. Claim it as well when you begin, so that two people do not mend the same thing.',
  },
  { status: 'acting', meaning: 'Something is being done about it.' },
  { status: 'verifying', meaning: 'It was done; now the tools are read again. An action that answered OK is not yet mended.' },
  { status: 'verification_failed', meaning: 'The tools were read after the action and still show the old state.' },
]
export const endings: readonly { readonly status: string; readonly meaning: string }[] = [
  {
    status: 'verified',
    meaning: 'A later read shows that it came right, and names the record that proves it. This happens by itself when the step comes late.',
  },
  {
    status: 'waived',
    meaning: 'A person accepted it, with a reason and until a day. After that day it is open again unless it came right.',
  },
  { status: 'false_alarm', meaning: 'Evidence that arrived late shows that it never was one: the step had happened in time.' },
  { status: 'void', meaning: 'What it was measured from moved or was undone: a booking was cancelled, a visit rescheduled.' },
  { status: 'withdrawn', meaning: 'A new version of the program, a merge of people, or an erasure took the promise away.' },
]

export const commandLine: readonly { readonly command: string; readonly does: string }[] = [
  { command: 'start', does: 'everything: engine, API and console; without `--config` the demo clinic' },
  { command: 'validate', does: 'reads a configuration and tells every mistake with file, line and column' },
  { command: 'check', does: 'asks each tool, or one, whether it answers with the key given' },
  { command: 'poll', does: 'reads one connection now' },
  { command: 'reconcile', does: 'reads every stream once to its end and judges at one clock' },
  { command: 'findings', does: 'lists findings, as a table or JSON' },
  { command: 'journey', does: 'shows one journey across its tools' },
]

export const keyMap: readonly { readonly title: string; readonly keys: readonly { readonly keys: string; readonly does: string }[] }[] = [
  {
    title: 'Everywhere',
    keys: [
      { keys: 'Ctrl+K', does: 'Command palette: go anywhere, find by id, do anything' },
      { keys: '?', does: 'The keys of the page you are on' },
      { keys: '/', does: 'Filter the list, or search' },
      { keys: 'l', does: 'Pause or resume live updates' },
      { keys: 'y', does: 'Copy the time where you stand, as ISO 8601' },
    ],
  },
  {
    title: 'Lists',
    keys: [
      { keys: 'j', does: 'Next row' },
      { keys: 'k', does: 'Previous row' },
      { keys: 'o', does: 'Open; Enter does the same' },
      { keys: ' ', does: 'Peek at a finding beside the list' },
      { keys: 'x', does: 'Select a finding' },
    ],
  },
  {
    title: 'Findings',
    keys: [
      { keys: 'a', does: 'Acknowledge' },
      { keys: 'c', does: 'Claim' },
      { keys: 's', does: 'Assign' },
      { keys: 'e', does: 'Snooze' },
      { keys: 'w', does: 'Waive, on the page of a finding' },
    ],
  },
  {
    title: 'A journey',
    keys: [
      { keys: 'n', does: 'Next finding or missing step' },
      { keys: 'ArrowLeft', does: 'Earlier event' },
      { keys: 'ArrowRight', does: 'Later event' },
    ],
  },
]
