import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readConfiguration } from '../../jobs/configuration.ts'
import type { Connector, ToolAction } from '../../jobs/connectors/connector.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import { formatProblem } from '../../jobs/domain/yaml-source.ts'

const folders: string[] = []
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true })
})

const good: Readonly<Record<string, string>> = {
  'connections.yaml': `workspace: { title: Acme }
connections:
  billing: { connector: stripe, secrets: { api_key: { env: KEY } } }
`,
  'owners.yaml': `owners: { ops: { title: Operations } }
default: ops
`,
  'programs/shop.yaml': `program: shop
owner: ops
journey: { starts: any }
steps: { paid: { stream: billing.payment_intents, when: { status: succeeded } } }
expectations: { one-charge: { at_most: 1, of: paid, runbook: give-back } }
`,
  'runbooks/give-back.yaml': `runbook: give-back
for: { kinds: [duplicate], steps: [paid] }
inputs: { payment: { from: evidence, stream: billing.payment_intents, pick: last } }
steps: { refund: { do: billing.give_back, with: { payment: $payment } } }
`,
}

const giveBack = {
  name: 'give_back',
  title: 'Give back',
  does: 'Gives the money back.',
  reach: 'money',
  repeat: { keyHours: 24, lookUp: true },
  input: z.strictObject({ payment: z.string() }),
  verifyBy: { stream: 'payment_intents', withinSeconds: 60 },
} as unknown as ToolAction
const acting: readonly Connector[] = connectors.map((one) => (one.describe().id === 'stripe' ? { ...one, actions: [giveBack] } : one))

async function read(changes: Readonly<Record<string, string | null>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'throughline runbooks '))
  folders.push(folder)
  for (const [name, text] of Object.entries({ ...good, ...changes })) {
    if (text === null) continue
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  const { configuration, problems, notices } = await readConfiguration(folder, { KEY: 'sk' }, acting)
  return {
    runbooks: configuration?.runbooks,
    problems: problems.map((one) => formatProblem(one).replace(/^(\S+?:\d+):\d+ /, '$1 ')),
    notices,
  }
}

describe('runbooks/ beside programs/', () => {
  it('is read with the actions of the connections and the promises that name it', async () => {
    const { runbooks, problems } = await read()
    expect(problems).toEqual([])
    expect(runbooks).toMatchObject([
      {
        file: 'runbooks/give-back.yaml',
        sourceHash: expect.stringMatching(/^[0-9a-f]{64}$/),
        runbook: { key: 'give-back', approve: { by: 'approver' } },
      },
    ])
  })

  it('may be absent: what programs name is told, and nothing is wrong', async () => {
    const { runbooks, problems, notices } = await read({ 'runbooks/give-back.yaml': null })
    expect({ runbooks, problems }).toEqual({ runbooks: [], problems: [] })
    expect(notices).toEqual([expect.stringContaining('There is no folder runbooks/, and the programs name "give-back"')])
  })

  it.each<[string, Record<string, string>, string[]]>([
    [
      'a promise that names an unknown runbook',
      { 'programs/shop.yaml': good['programs/shop.yaml']!.replace('runbook: give-back', 'runbook: give-bak') },
      ['programs/shop.yaml:5 expectations.one-charge.runbook: there is no runbook "give-bak" in runbooks/. Did you mean "give-back"?'],
    ],
    [
      'a runbook that never fits the promise that names it',
      { 'runbooks/give-back.yaml': good['runbooks/give-back.yaml']!.replace('kinds: [duplicate], steps: [paid]', 'kinds: [gap]') },
      [
        'programs/shop.yaml:5 expectations.one-charge.runbook: the runbook "give-back" may run on no finding of this promise (duplicate): see its `for`',
      ],
    ],
    [
      'two files of one key',
      { 'runbooks/other.yaml': good['runbooks/give-back.yaml']! },
      ['runbooks/other.yaml:1 runbook: the runbook "give-back" already stands in runbooks/give-back.yaml; expected another key'],
    ],
    [
      'an unknown action, and not the promise that names the runbook',
      { 'runbooks/give-back.yaml': good['runbooks/give-back.yaml']!.replace('billing.give_back', 'billing.giveback') },
      ['runbooks/give-back.yaml:4 steps.refund.do: connection "billing" has no action "giveback". Did you mean "billing.give_back"?'],
    ],
    [
      'an unknown step of a program',
      { 'runbooks/give-back.yaml': good['runbooks/give-back.yaml']!.replace('steps: [paid]', 'steps: [payd]') },
      ['runbooks/give-back.yaml:2 for.steps[0]: no program has a step "payd". Did you mean "paid"?'],
    ],
  ])('tells of %s', async (_, changes, expected) => {
    expect((await read(changes)).problems).toEqual(expected)
  })
})
