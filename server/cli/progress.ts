import type { Progress } from '../../jobs/reconcilers/reconcile.ts'

const plainEveryMs = 5_000
const terminalEveryMs = 200

/** Long work says where it stands on stderr: one line that changes in a terminal, a line now and then in a file. */
export function reportProgress(out: NodeJS.WriteStream = process.stderr): { report(progress: Progress): void; end(): void } {
  const read = new Map<string, number>()
  let judged: { components: number; findings: number } | null = null
  let saidAt = 0
  let isOpen = false
  const line = () => {
    const records = [...read.values()].reduce((sum, count) => sum + count, 0)
    const judging = judged === null ? '' : `, judged ${judged.components} groups of records, ${judged.findings} changes of findings`
    return `Read ${records} records from ${read.size} streams${judging}`
  }
  return {
    report(progress) {
      if (progress.phase === 'read') read.set(`${progress.connection}.${progress.stream}`, progress.read)
      else judged = progress
      const now = Date.now()
      if (now - saidAt < (out.isTTY ? terminalEveryMs : plainEveryMs)) return
      saidAt = now
      isOpen = out.isTTY
      out.write(out.isTTY ? `\r\u001b[K${line()}` : `${line()}\n`)
    },
    end() {
      if (isOpen) out.write('\r\u001b[K')
    },
  }
}
