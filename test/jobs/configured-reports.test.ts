import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultReports, readReports } from '../../jobs/configured-reports.ts'
import type { Problem } from '../../jobs/domain/yaml-source.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reports-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function read(text: string, environment = {}) {
  await writeFile(join(folder, 'reports.yaml'), text)
  const problems: Problem[] = []
  const notices: string[] = []
  const known = { environment, ownerKeys: new Set(['care', 'billing']), egressAllow: ['127.0.0.1:2525'] }
  const reports = await readReports(folder, known, problems, notices)
  return { reports, problems: problems.map(({ line, message }) => `${line}: ${message}`), notices }
}

describe('reports.yaml', () => {
  it('need not be there', async () => {
    const known = { environment: {}, ownerKeys: new Set<string>(), egressAllow: [] }
    expect(await readReports(join(folder, 'none'), known, [], [])).toEqual(defaultReports)
  })

  it('says when days are closed, who gets mail and what is posted where', async () => {
    const { reports, problems, notices } = await read(
      `at: "06:30"
console_url: https://throughline.example.org/
mail:
  smtp: { env: SMTP_URL }
  from: reports@example.org
  to: { care: lead@example.org, billing: [a@example.org, b@example.org] }
webhooks:
  ops: { url: "https://hooks.example.org/gaps", secret: { env: HOOK } }
`,
      { SMTP_URL: 'smtps://u:p@mail.example.org:465', HOOK: 'sssh' },
    )
    expect([problems, notices]).toEqual([[], []])
    expect(reports).toMatchObject({ atMinutes: 390, consoleUrl: 'https://throughline.example.org', webhooks: [{ name: 'ops' }] })
    expect(reports.mail?.to.get('billing')).toEqual(['a@example.org', 'b@example.org'])
    expect(reports.mail?.secrets.get('smtp')).toContain('mail.example.org')
    expect(JSON.stringify(reports)).not.toContain('sssh')
  })

  it('goes on without what lacks its secret, and says so', async () => {
    const { reports, notices } = await read('webhooks: { ops: { url: "https://hooks.example.org", secret: { env: HOOK } } }')
    expect(reports.webhooks).toEqual([])
    expect(notices).toEqual([expect.stringContaining('set the environment variable HOOK')])
  })

  it.each([
    ['at: "25:00"', 'expected a time of the day'],
    ['console_url: "javascript:alert(1)"', 'expected an http or https address'],
    ['mail: { smtp: { env: X }, from: a@b.org, to: { nobody: a@b.org } }', 'there is no owner "nobody"'],
    ['mail: { smtp: { env: X }, from: "a@b.org\\nBcc: c@d.org", to: { care: a@b.org } }', 'expected an e-mail address'],
    ['webhooks: { ops: { url: "http://hooks.example.org", secret: { env: X } } }', 'is not encrypted'],
    ['webhooks: { ops: { url: "https://169.254.169.254/", secret: { env: X } } }', 'link-local'],
    ['mails: {}', 'there is no setting of this name'],
  ])('%j is refused with its place and without its values', async (text, message) => {
    const { problems } = await read(text)
    expect(problems).toEqual([expect.stringContaining(message)])
    expect(problems.join()).not.toContain('b.org')
  })
})
