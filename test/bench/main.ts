// npm run bench: every benchmark in a process of its own, one after the other; each prints ratios measured in its own run.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const benches = ['pipeline', 'judge', 'file-drop', 'console', 'audit']
const only = process.argv.slice(2)
let failed = 0
for (const bench of benches.filter((name) => only.length === 0 || only.includes(name))) {
  process.stdout.write(`\n== ${bench}\n`)
  const { status } = spawnSync(process.execPath, ['--max-semi-space-size=32', join(import.meta.dirname, `${bench}.ts`)], {
    stdio: 'inherit',
  })
  if (status !== 0) failed++
}
process.exit(failed === 0 ? 0 : 1)
