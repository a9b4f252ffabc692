/** A job of the schedule and how often it should end a round. */
export interface Rhythm {
  /** As in its sign of life: `judge:0`, `poll:billing`. */
  readonly job: string
  /** In words, as the subject of a sentence: `Judging`. */
  readonly title: string
  /** Wall time. */
  readonly everyMs: number
  /** What nobody does while it stands still. */
  readonly meaning: string
  /** Without it nothing at all can be told. */
  readonly isVital?: boolean
}

/** The last round of a job that ended. Epoch ms. */
export interface Round {
  readonly job: string
  readonly domainAt: number
  readonly wallAt: number
}

export interface Standstill {
  /** One job, or all that share a title. */
  readonly jobs: readonly string[]
  readonly title: string
  /** Of the last round that ended, domain time; null: none ever did. */
  readonly since: number | null
  readonly sinceWall: number | null
  readonly meaning: string
  readonly whatToDo: string
  readonly isVital: boolean
}

export interface StandstillOptions {
  /** Domain time. */
  readonly now: number
  readonly wallNow: number
  /** How fast the domain clock runs against the wall's. */
  readonly speed: number
  /** A job is never taken to stand still before this long. */
  readonly quietMs: number
}

export const defaultQuietMs = 60_000
/** Rounds that may be missed. */
const roundsMissed = 3

/**
 * Which jobs stand still: by the wall clock, and by the domain clock, which a sleeping host or a stopped simulator moves otherwise. A job
 * that never ended a round stands still too: not having begun is not being up to date (invariant 8).
 */
export function findStandstills(rhythms: readonly Rhythm[], rounds: readonly Round[], options: StandstillOptions): readonly Standstill[] {
  const roundOf = new Map(rounds.map((round) => [round.job, round]))
  const still = rhythms.filter((rhythm) => standsStill(rhythm, roundOf.get(rhythm.job), options))
  if (still.length === 0) return []
  // Where nothing at all ended a round lately, it is not this job or that, however slow the slowest may be.
  const latest = rounds.filter(({ job }) => rhythms.some((rhythm) => rhythm.job === job)).map(({ wallAt }) => options.wallNow - wallAt)
  const isSilent = Math.min(...latest) > Math.max(options.quietMs, roundsMissed * Math.min(...rhythms.map(({ everyMs }) => everyMs)))
  if (isSilent || still.length === rhythms.length) return [whole(rhythms, rounds)]
  return [...Map.groupBy(still, (rhythm) => rhythm.title)].map(([title, its]) => {
    const last = oldest(its.map((rhythm) => roundOf.get(rhythm.job)))
    return {
      jobs: its.map((rhythm) => rhythm.job),
      title,
      since: last?.domainAt ?? null,
      sinceWall: last?.wallAt ?? null,
      meaning: its[0]?.meaning ?? '',
      isVital: its.some((rhythm) => rhythm.isVital === true),
      whatToDo: 'Its runs fail or hang while others go on: the log says why. Start Throughline again; what is left is taken up again.',
    }
  })
}

function standsStill(rhythm: Rhythm, round: Round | undefined, { now, wallNow, speed, quietMs }: StandstillOptions): boolean {
  if (round === undefined) return true
  const limitMs = Math.max(quietMs, roundsMissed * rhythm.everyMs)
  return wallNow - round.wallAt > limitMs || now - round.domainAt > limitMs * Math.max(1, speed)
}

function whole(rhythms: readonly Rhythm[], rounds: readonly Round[]): Standstill {
  const known = rounds.filter((round) => rhythms.some((rhythm) => rhythm.job === round.job))
  const last = known.reduce<Round | null>((latest, round) => (latest === null || round.wallAt > latest.wallAt ? round : latest), null)
  return {
    jobs: rhythms.map((rhythm) => rhythm.job),
    title: 'The engine',
    since: last?.domainAt ?? null,
    sinceWall: last?.wallAt ?? null,
    meaning: 'Nothing is read, judged or reported.',
    isVital: true,
    whatToDo: 'Start Throughline again, and look into its log: it says why it stopped.',
  }
}

/** Undefined among them: one never ended a round. */
function oldest(rounds: readonly (Round | undefined)[]): Round | null {
  let least: Round | null = null
  for (const round of rounds) {
    if (round === undefined) return null
    if (least === null || round.wallAt < least.wallAt) least = round
  }
  return least
}

/** `Judging stands still since its last round at …: nothing …` for logs and probes. */
export function standstillText({ title, sinceWall, meaning }: Standstill): string {
  const since = sinceWall === null ? 'has not ended a round yet' : `stands still since ${new Date(sinceWall).toISOString()}`
  return `${title} ${since}. ${meaning}`
}
