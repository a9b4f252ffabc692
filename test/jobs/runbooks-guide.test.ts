import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { readConfiguration } from '../../jobs/configuration.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import { defaultAnswers, neutralActions } from '../../jobs/domain/neutral-actions.ts'
import { defaultLimits, defaultRoles, evidenceRoles, picks } from '../../jobs/domain/runbook.ts'
import { formatProblem } from '../../jobs/domain/yaml-source.ts'
import { publishedSchema } from '../../jobs/published-schemas.ts'

const guide = await readFile(fileURLToPath(new URL('../../docs/runbooks.md', import.meta.url)), 'utf8')
const files = [...guide.matchAll(/^```yaml file=(\S+)\n([\s\S]*?)^```$/gm)].map(([, file, text]) => ({ file: file!, text: text! }))

const around = {
  'connections.yaml': `workspace: { title: Shop }
connections:
  billing: { connector: stripe, secrets: { api_key: { env: KEY } } }
`,
  'owners.yaml': 'owners: { ops: { title: Operations } }\ndefault: ops\n',
}

it('docs/runbooks.md: its program and runbook are valid with the real connectors, word for word', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'runbooks guide '))
  try {
    const all = [...files, ...Object.entries(around).map(([file, text]) => ({ file, text }))]
    for (const { file, text } of all) {
      await mkdir(dirname(join(folder, file)), { recursive: true })
      await writeFile(join(folder, file), text)
    }
    const { configuration, problems } = await readConfiguration(folder, { KEY: 'sk' }, connectors)
    expect(problems.map(formatProblem)).toEqual([])
    expect(configuration?.runbooks).toMatchObject([{ runbook: { key: 'refund-duplicate', approve: { by: 'approver' } } }])
    expect(configuration?.programs[0]?.program.expectations[0]?.runbook).toBe('refund-duplicate')
  } finally {
    await rm(folder, { recursive: true })
  }
})

it('docs/runbooks.md: the published schema accepts its runbook, and it names every action, pick and default there is', () => {
  const validate = new Ajv2020({ allowUnionTypes: true }).compile(publishedSchema('runbook'))
  const runbook = files.find(({ file }) => file.startsWith('runbooks/'))
  expect({ valid: validate(parse(runbook!.text)), errors: validate.errors }).toEqual({ valid: true, errors: null })
  for (const word of [...neutralActions.map(({ name }) => name), ...picks, ...evidenceRoles.filter((role) => role !== 'read')])
    expect(guide).toContain(`\`${word}\``)
  expect(guide.replaceAll(/\s+/g, ' ')).toContain(`Unless said: ${defaultLimits.perRun} per run, ${defaultLimits.perDay} per day.`)
  expect(guide).toContain(`unless said: ${defaultRoles.join(', ')}`)
  expect(guide).toContain(`unless said: ${defaultAnswers.join(', ')}`)
})
