import { spawn } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withDatabase } from '../support/database.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const example = 'docs/examples/clinic-csv'
const guide = await readFile(join(root, 'docs/csv.md'), 'utf8')
const main = await withDatabase()

interface Block {
  readonly language: string
  readonly file: string | null
  readonly text: string
}
const blocks: readonly Block[] = [...guide.matchAll(/^```(\w+)(?: file=(\S+))?\n([\s\S]*?)^```$/gm)].map(([, language, file, text]) => ({
  language: language!,
  file: file ?? null,
  text: text!,
}))

/** The command of a `sh` block, and the text of the block after it when it shows output. */
function step(start: string): { args: string[]; output: string | null } {
  const index = blocks.findIndex((block) => block.language === 'sh' && block.text.startsWith(start))
  const next = blocks[index + 1]
  return { args: blocks[index]!.text.trim().split(' -- ')[1]!.split(' '), output: next?.language === 'text' ? next.text : null }
}

const environment: Record<string, string> = {}
let dataDir: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'csv guide '))
  Object.assign(environment, { THROUGHLINE_DATA_DIR: dataDir, DATABASE_URL: await main.another('empty') })
})
afterAll(() => rm(dataDir, { recursive: true }))

function throughline(args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const { THROUGHLINE_PORT: _, ...inherited } = process.env
    const child = spawn(process.execPath, [join(root, 'server/cli/main.ts'), ...args], { cwd: root, env: { ...inherited, ...environment } })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (err += chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
  })
}

/** What differs from run to run: ids of findings, seconds, the folder it runs in, trailing spaces. */
const steady = (text: string) =>
  text
    .replaceAll(root, '')
    .replace(/\b[0-9a-f]{32}\b/g, '<id>')
    .replace(/in [\d.]+ s/, 'in <n> s')
    .replace(/ +$/gm, '')
    .trim()
const inAnyOrder = (text: string) => steady(text).split('\n').sort()

describe('docs/csv.md', () => {
  it.each(blocks.filter(({ file }) => file !== null).map(({ file, text }) => [file!, text]))(
    'shows %s as it stands in the example',
    async (file, text) => {
      expect(text).toBe(await readFile(join(root, example, file), 'utf8'))
    },
  )

  it('shows the first lines of each export', async () => {
    const shown = [...guide.matchAll(/^`(exports\/\S+)`\n\n```csv\n([\s\S]*?)^```$/gm)]
    expect(shown).toHaveLength(3)
    for (const [, file, text] of shown) expect(await readFile(join(root, example, file!), 'utf8')).toContain(text)
  })

  it('validate, check, reconcile and findings give what it says', { timeout: 120_000 }, async () => {
    const validated = step('npm run throughline -- validate')
    expect(steady((await throughline(validated.args)).out)).toBe(validated.output!.trim())
    const checked = await throughline(step('npm run throughline -- check').args)
    expect(checked.code).toBe(0)
    const reconciled = step('npm run throughline -- reconcile')
    const first = await throughline(reconciled.args)
    expect(inAnyOrder(first.out)).toEqual(inAnyOrder(reconciled.output!))
    expect(first.code).toBe(2)
    const listed = step('npm run throughline -- findings')
    expect(inAnyOrder((await throughline(listed.args)).out)).toEqual(inAnyOrder(listed.output!))
  })

  it('the mistake it shows is told that way', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'csv guide '))
    await cp(join(root, example), folder, { recursive: true })
    const program = join(folder, 'programs/first-visit.yaml')
    await writeFile(program, (await readFile(program, 'utf8')).replace('when: { status: paid }', 'when: { staus: paid }'))
    const { code, err } = await throughline(['validate', '--config', folder])
    await rm(folder, { recursive: true })
    expect(code).toBe(1)
    expect(guide).toContain(err.split('\n')[0])
  })
})
