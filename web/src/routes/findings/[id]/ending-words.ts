const words: Readonly<Record<string, string>> = {
  came_late: 'it came, too late',
  held: 'the tools agree again',
  set_right: 'it was set right in the tools',
  anchor_gone: 'what it was about is no more',
  anchor_moved: 'its deadline moved',
  anchor_undone: 'what it was about was undone',
  identity_resolved: 'it is clear now who it is about',
  program_changed: 'the program changed',
  promise_removed: 'the promise was removed',
  subject_changed: 'it belongs to another person now',
  late_evidence: 'late evidence shows that it never was one',
  waived: 'a person accepted it',
  person: 'a person said so',
}

/** Why a finding ended, as people say it. A reason without a word is shown as it is. */
export const endingWords = (reason: string | null): string => (reason === null ? '' : (words[reason] ?? reason.replaceAll('_', ' ')))
