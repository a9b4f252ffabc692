import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyRunbooksPlan, readRunbooksPlan } from '../../jobs/apply-runbooks.ts'
import type { ConfiguredRunbook } from '../../jobs/configured-runbooks.ts'
import { parseProgram } from '../../jobs/domain/parse-program.ts'
import { parseRunbook } from '../../jobs/domain/parse-runbook.ts'
import { visitProgram } from '../support/paged-workspace.ts'
import { withDatabase } from '../support/database.ts'
import { type ServedClinic, serveClinic } from './served-clinic.ts'

const main = await withDatabase()

const call = (question: string) => `runbook: call-first
title: Call the member
purpose: Somebody calls.
for: { kinds: [gap] }
inputs: { how: { title: How, ask: choice, of: [phone, visit] } }
steps:
  call: { do: ask-person, with: { question: "${question}", of: care }, only_if: { how: phone } }
  tell: { do: mail, with: { subject: They were called } }
`
const gone = 'runbook: gone\nsteps: { act: { do: billing.refund, with: { payment: pi_1 } } }\n'

function configured(source: string): ConfiguredRunbook {
  const parsed = parseRunbook(source, 'r.yaml')
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'))
  return { file: 'runbooks/r.yaml', source, sourceHash: createHash('sha256').update(source).digest('hex'), runbook: parsed.runbook }
}
const keyed = (source: string) => ({ ...configured(source), key: configured(source).runbook.key })
const source = visitProgram.replace('severity: high', 'severity: high, runbook: call-first')

let clinic: ServedClinic
beforeAll(async () => {
  const parsed = parseProgram(source, 'visits.yaml')
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('\n'))
  clinic = await serveClinic(await main.another(), {}, (configuration) => ({
    ...configuration,
    programs: [{ file: 'visits.yaml', source, sourceHash: source, program: parsed.program }],
    runbooks: [configured(call('Did they answer?')), configured(gone)],
  }))
})
afterAll(() => clinic.close())

const runbooks = () => clinic.client.api.v1.runbooks
const one = () => runbooks()[':key']
const param = { key: 'call-first' }
const apply = async (...sources: string[]) => {
  const { database, id } = clinic.workspace
  const plan = await readRunbooksPlan(database.sql, id, sources.map(keyed))
  await applyRunbooksPlan(database.sql, id, plan, { by: 'ana', now: clinic.clock.at })
}

describe('runbooks through the API', () => {
  it('are listed with who may run them, who approves, and why one cannot be run now', async () => {
    expect(await (await runbooks().$get()).json()).toMatchObject({
      total: 2,
      items: [
        {
          key: 'call-first',
          title: 'Call the member',
          isInForce: true,
          version: 1,
          versions: 1,
          appliedBy: 'test',
          steps: 2,
          reach: 'notice',
          roles: [
            { key: 'responder', title: 'Responder' },
            { key: 'admin', title: 'Administrator' },
          ],
          approval: null,
          promises: [{ program: 'visits', key: 'booking-confirmed' }],
          kinds: ['gap'],
          openFindings: 1,
          problem: null,
        },
        { key: 'gone', problem: expect.stringContaining('there is no action billing.refund now') },
      ],
    })
  })

  it('are shown step by step in words, with text and limits', async () => {
    expect(await (await one().$get({ param })).json()).toMatchObject({
      source: call('Did they answer?'),
      isFor: 'Findings of the kind “Missing step”.',
      inputList: [{ name: 'how', title: 'How', isAsked: true, sentence: 'Asked of whoever runs it: phone, visit.' }],
      stepList: [
        {
          name: 'call',
          action: 'ask-person',
          tool: null,
          title: 'Ask a person',
          line: 7,
          conditions: ['Only when “How” was answered phone.'],
          inputs: [
            { label: 'Question', value: 'Did they answer?' },
            { label: 'Of', value: 'Care' },
          ],
        },
        { name: 'tell', reach: 'notice' },
      ],
      limits: ['One run has at most 5 effects in tools.', 'All runs of one day have at most 100.'],
      history: [{ version: 1, isInForce: true, isReadable: true }],
    })
    const missing = await one().$get({ param: { key: 'nothing' } })
    expect(missing.status as number).toBe(404)
    expect(await missing.json()).toMatchObject({ detail: 'There is no runbook "nothing", and never was.' })
  })

  it('keep every version, say what each changed, and say when this process has read another text than is in force', async () => {
    await apply(call('Did they pick up?'))
    const { items } = await (await runbooks().$get()).json()
    expect(items).toMatchObject([
      { key: 'call-first', version: 2, versions: 2, appliedBy: 'ana', problem: expect.stringContaining('is not version 2') },
      { key: 'gone', isInForce: false, removedBy: 'ana', problem: null },
    ])
    const { diff } = await (await one().diff.$get({ param, query: { from: '1', to: '2' } })).json()
    expect(diff.filter(({ kind }) => kind !== 'same').map(({ kind, text }) => `${kind}: ${text.trim()}`)).toEqual([
      expect.stringMatching(/^removed: .*Did they answer\?/),
      expect.stringMatching(/^added: .*Did they pick up\?/),
    ])
    const absent = await one().diff.$get({ param, query: { from: '1', to: '9' } })
    expect(absent.status as number).toBe(404)
    expect(await absent.json()).toMatchObject({ detail: 'The runbook "call-first" has no version 9. It has 2, 1.' })
  })
})
