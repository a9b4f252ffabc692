import { kindOf } from './expectations/index.ts'
import type { Expectation, Program } from './program.ts'

/** The kinds of finding a promise can open. */
export function kindsOf(expectation: Expectation): readonly string[] {
  switch (expectation.kind) {
    case 'follows':
      return [
        'gap',
        ...(expectation.within === null ? [] : ['late']),
        ...(expectation.notBefore === null ? [] : ['early']),
        ...(expectation.variant === null ? [] : ['wrong_variant']),
      ]
    case 'at_most':
      return ['duplicate']
    case 'order':
      return ['disorder']
    case 'never':
      return ['unexpected']
    case 'agree':
      return ['drift', 'unmapped_state']
    case 'stuck':
      return ['stuck']
    case 'belongs':
      return ['orphan']
  }
}

export interface NeededStream {
  /** `<connection>.<stream>` */
  readonly stream: string
  /** `shows`: must be read past the deadline before absence counts (invariant 2). `starts`: without it the promise is never asked. */
  readonly why: 'shows' | 'starts'
}

/** The streams a promise hangs on. */
export function neededStreams({ steps }: Pick<Program, 'steps'>, expectation: Expectation): readonly NeededStream[] {
  const shows = new Set(kindOf(expectation).streams(expectation, steps))
  const starts = new Set(anchorsOf(expectation).flatMap((step) => steps.get(step)?.stream ?? []))
  return [
    ...[...shows].map((stream): NeededStream => ({ stream, why: 'shows' })),
    ...[...starts].filter((stream) => !shows.has(stream)).map((stream): NeededStream => ({ stream, why: 'starts' })),
  ]
}

/** The steps whose happening makes a promise count. */
function anchorsOf(expectation: Expectation): readonly string[] {
  switch (expectation.kind) {
    case 'follows':
      return [expectation.after]
    case 'at_most':
      return [expectation.of]
    case 'order':
      return [expectation.then]
    case 'never':
      return [expectation.never]
    case 'belongs':
      return [expectation.step]
    case 'agree':
    case 'stuck':
      return []
  }
}
