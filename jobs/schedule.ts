import cron from 'node-cron'

export interface Recurring {
  /** Begins with workspace and connection; the tick's time is added to make the id of its run. */
  readonly name: string
  readonly everyMs: number
  /** Enqueues the run of this tick. `id` is the same in every process, so many that tick start one run. */
  readonly tick: (id: string) => Promise<void>
}

/** The ticks that fall due, each at most once. After a sleep of hours only the latest of each name is due. */
export function dueTicks(
  entries: readonly Recurring[],
  last: ReadonlyMap<string, number>,
  now: number,
): { entry: Recurring; slot: number }[] {
  return entries.flatMap((entry) => {
    const slot = Math.floor(now / entry.everyMs) * entry.everyMs
    return last.get(entry.name) === slot ? [] : [{ entry, slot }]
  })
}

export interface ScheduleOptions {
  /** Asked anew at each tick, so that a changed configuration takes effect. */
  readonly entries: () => readonly Recurring[]
  /** Wall time, epoch ms. */
  readonly now?: () => number
  readonly warn: (message: string) => void
}

/** Ticks in every process; the engine makes equal ids one run. A tick that could not be enqueued is tried again a second later. */
export function startSchedule({ entries, now = Date.now, warn }: ScheduleOptions): { stop(): Promise<void> } {
  const last = new Map<string, number>()
  let beating: Promise<void> | undefined
  const beat = async () => {
    for (const { entry, slot } of dueTicks(entries(), last, now())) {
      try {
        await entry.tick(`${entry.name}:${new Date(slot).toISOString()}`)
        last.set(entry.name, slot)
      } catch (error) {
        warn(`Could not enqueue ${entry.name} (${(error as { code?: string }).code ?? (error as Error).name}); trying again.`)
      }
    }
  }
  // Beats may be slow or missed; the next one makes up for it, so cron's own guard and warnings stay off.
  const task = cron.schedule(
    '* * * * * *',
    () => {
      beating ??= beat().finally(() => {
        beating = undefined
      })
      return beating
    },
    { timezone: 'UTC', suppressMissedWarning: true },
  )
  return {
    stop: async () => {
      await task.destroy()
      await beating
    },
  }
}
