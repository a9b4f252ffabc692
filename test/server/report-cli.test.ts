import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withDatabase } from '../support/database.ts'

const main = await withDatabase()
const root = join(import.meta.dirname, '../..')
const config = join(root, 'docs/examples/clinic-csv')
const patience = 300_000
let dataDir: string
let databaseUrl: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'throughline-report-'))
  databaseUrl = await main.another('empty')
})
afterAll(() => rm(dataDir, { recursive: true }))

async function run(...args: string[]) {
  const bare = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('THROUGHLINE_')))
  const child = spawn(process.execPath, [join(root, 'server/cli/main.ts'), ...args], {
    env: { ...bare, DATABASE_URL: databaseUrl, THROUGHLINE_DATA_DIR: dataDir, THROUGHLINE_LOG_LEVEL: 'error' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text))
  const [code] = await once(child, 'close')
  return { code, out, err }
}
const reconcileAt = (now: string) => run('reconcile', '--config', config, '--now', now)
/** Without --config the command takes the folder and the clock of the last `reconcile --now`. */
const report = (...args: string[]) => run('report', ...args)

describe('throughline report', () => {
  it('shows the day so far, then the closed day, in the same bytes each time, with exit 2 while something is open', {
    timeout: patience,
  }, async () => {
    expect(await reconcileAt('2026-10-14T12:00:00Z')).toMatchObject({ code: 2 })
    const soFar = await report('--date', '2026-10-14', '--format', 'json')
    expect(soFar).toMatchObject({ code: 2, err: '' })
    expect(JSON.parse(soFar.out)).toMatchObject({ day: '2026-10-14', final: false, total: { opening: 0 } })
    await reconcileAt('2026-10-15T12:00:00Z')
    const closed = JSON.parse((await report('--date', '2026-10-14', '--format', 'json')).out)
    expect(closed).toMatchObject({ final: true, total: JSON.parse(soFar.out).total })
    expect(closed.total.closing).toBeGreaterThan(0)
    for (const format of ['html', 'csv']) {
      const [once, twice] = [
        await report('--date', '2026-10-14', '--format', format),
        await report('--date', '2026-10-14', '--format', format),
      ]
      expect(once.out.length).toBeGreaterThan(100)
      expect(twice).toEqual(once)
    }
  })

  it('refuses what is no day and a day nothing is known of, with exit 1', { timeout: patience }, async () => {
    expect(await report('--date', '2026-02-30')).toMatchObject({ code: 1, err: expect.stringContaining('is no day') })
    expect(await report('--date', '2026-10-01')).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no report of 2026-10-01'),
    })
  })
})
