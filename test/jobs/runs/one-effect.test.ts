import { afterEach, describe, expect, it } from 'vitest'
import { readAttempts, readRun, readSteps } from '../../../db/records/runs.ts'
import { readFinding } from '../../../db/records/findings.ts'
import { advanceRun } from '../../../jobs/runs/advance-run.ts'
import { prepareRun } from '../../../jobs/runs/prepare-run.ts'
import { answerRun, cancelRun, decideRun, startRun } from '../../../jobs/runs/start-run.ts'
import { withDatabase } from '../../support/database.ts'
import { minute, never, openRunWorld, resendPlan, type RunWorld } from '../../support/run-world.ts'

const main = await withDatabase()
let world: RunWorld
afterEach(() => world?.close())
const open = async (options: Parameters<typeof openRunWorld>[1] = {}) => {
  world = await openRunWorld(await main.another(), options)
  return world
}
const statusOf = async (id: string) => (await readFinding(world.workspace.database.db, world.workspace.id, id))?.status
const stepsOf = (runId: string) => readSteps(world.workspace.database.db, world.workspace.id, runId)
const actsOf = async (runId: string) =>
  (
    await world.workspace.database.sql<
      { act: string }[]
    >`select act from audit where target_kind = 'run' and target_id = ${runId} order by recorded_at`
  ).map(({ act }) => act)

describe('capability 4: verified closure', () => {
  it('closes only by a read taken after the action, with its record named', async () => {
    await open()
    const finding = await world.gap('b-1')
    const run = await world.start(finding)
    const verifying = await world.settle(run.id)
    expect(verifying.state).toBe('verifying')
    expect(await statusOf(finding)).toBe('verifying')
    expect(world.texts.effects).toHaveLength(1)

    // Nothing was read since: looking again changes nothing.
    expect((await world.settle(run.id)).state).toBe('verifying')
    world.clock.at += minute
    await world.reconcile()
    const ended = await world.settle(run.id)
    expect(ended).toMatchObject({ state: 'verified' })
    expect(await statusOf(finding)).toBe('verified')
    const [step] = await stepsOf(run.id)
    expect(step).toMatchObject({ state: 'done', evidence: { connection: 'texts', stream: 'rows', externalId: 'sent-b-1' } })
    expect(step?.shownAt).not.toBeNull()
    expect(await actsOf(run.id)).toEqual(['run.start', 'run.attempt', 'run.outcome', 'run.verifying', 'run.verified'])
  })

  it('R10: a tool that says yes and stores nothing ends in verification_failed, and the finding stays open', async () => {
    await open()
    world.texts.manner = () => 'nothing'
    const finding = await world.gap('b-1')
    const run = await world.start(finding)
    await world.settle(run.id)
    world.clock.at += 5 * minute
    await world.reconcile()
    expect((await world.settle(run.id)).state).toBe('verifying')
    world.clock.at += 6 * minute
    await world.reconcile()
    expect(await world.settle(run.id)).toMatchObject({ state: 'verification_failed', message: expect.stringContaining('does not show it') })
    expect(await statusOf(finding)).toBe('verification_failed')
  })

  it('R11: an effect that shows late is verified when it shows; a tool that is not read is waited for, not failed', async () => {
    await open()
    world.texts.manner = () => 'late'
    const finding = await world.gap('b-1')
    const run = await world.start(finding)
    await world.settle(run.id)
    world.clock.at += 11 * minute
    // The window is over and nothing was read since the effect: nobody knows.
    expect((await world.settle(run.id)).state).toBe('verifying')
    world.texts.settle()
    await world.reconcile()
    expect((await world.settle(run.id)).state).toBe('verified')
  })
})

describe('capability 5: one effect', () => {
  it('R4: a lost answer is repeated with the same key and is one effect', async () => {
    await open()
    world.texts.manner = (call) => (call === 1 ? 'lose-answer' : 'obey')
    const run = await world.start(await world.gap('b-1'))
    expect((await world.settle(run.id)).state).toBe('verifying')
    expect(world.texts.calls).toBe(2)
    expect(world.texts.effects).toHaveLength(1)
    const attempts = await readAttempts(world.workspace.database.db, world.workspace.id, run.id)
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['unknown', 'done'])
  })

  it('R3: without keys the look-up decides; what it does not find is never sent again without a person', async () => {
    await open({ repeat: { keyHours: null, lookUp: true }, people: 2 })
    world.texts.keepsKeys = false
    world.texts.manner = (call) => (call === 1 ? 'lose-answer' : 'lose-request')
    const found = await world.start(await world.gap('b-1'))
    expect((await world.settle(found.id)).state).toBe('verifying')
    expect(world.texts.calls).toBe(1)

    const lost = await world.start(await world.gap('b-2'), { steps: resendPlan('', 'b-2').steps })
    expect((await world.settle(lost.id)).state).toBe('outcome_unknown')
    expect(world.texts.effects).toHaveLength(1)
    expect(world.texts.calls).toBe(2)
    await answerRun(world.deps, lost.id, { kind: 'did-not-happen', actor: 'dana', reason: 'Not in the log of the tool.' }, async () => {})
    expect(await world.settle(lost.id)).toMatchObject({ state: 'failed' })
    expect(await statusOf(await world.gap('b-2'))).toBe('open')
  })

  it('R3: with neither key nor look-up it stops for a person, who records what they found', async () => {
    await open({ repeat: { keyHours: null, lookUp: false } })
    world.texts.manner = () => 'error-after'
    const finding = await world.gap('b-1')
    const run = await world.start(finding)
    expect((await world.settle(run.id)).state).toBe('outcome_unknown')
    await answerRun(
      world.deps,
      run.id,
      { kind: 'happened', externalId: 'sent-b-1', actor: 'dana', reason: 'Seen in the log.' },
      async () => {},
    )
    expect((await world.settle(run.id)).state).toBe('verifying')
    world.clock.at += minute
    await world.reconcile()
    expect((await world.settle(run.id)).state).toBe('verified')
    expect(world.texts.calls).toBe(1)
  })

  it('R5: past the time the tool keeps a key nothing is repeated; it looks first', async () => {
    await open()
    world.texts.manner = () => 'lose-answer'
    const run = await world.start(await world.gap('b-1'))
    await advanceRun(world.deps, run.id, never)
    expect(world.texts.calls).toBe(1)
    world.clock.at += 25 * 60 * minute
    world.wall += minute
    await advanceRun(world.deps, run.id, never)
    expect(world.texts.calls).toBe(1)
    expect((await stepsOf(run.id))[0]).toMatchObject({ state: 'done', lookUps: 1 })
  })

  it('R6: who lost the run while it slept writes nothing', async () => {
    await open()
    let wake = () => {}
    const asleep = new Promise<void>((resolve) => {
      wake = resolve
    })
    const slow = { ...world.deps, workspace: { ...world.workspace, connections: new Map(world.workspace.connections) } }
    const texts = world.workspace.connections.get('texts')!
    const [send] = texts.connector.actions!
    const perform = send!.perform
    const sleepy = { ...send!, perform: async (...asked: Parameters<typeof perform>) => asleep.then(() => perform(...asked)) }
    slow.workspace.connections.set('texts', { ...texts, connector: { ...texts.connector, actions: [sleepy] } })
    const run = await world.start(await world.gap('b-1'))
    const zombie = advanceRun(slow, run.id, never)
    await expect.poll(async () => (await stepsOf(run.id))[0]?.attempts).toBe(1)
    expect(await advanceRun(world.deps, run.id, never)).toBeNull()
    world.wall += 3 * minute
    expect(await advanceRun(world.deps, run.id, never)).toBe('verifying')
    const after = await stepsOf(run.id)
    wake()
    expect(await zombie).toBeNull()
    expect(await stepsOf(run.id)).toEqual(after)
    expect(world.texts.effects).toHaveLength(1)
    expect((await readRun(world.workspace.database.db, world.workspace.id, run.id))?.state).toBe('verifying')
  })

  it('R7: a hundred requests at once are one run', async () => {
    await open()
    const prepared = await prepareRun(world.deps, resendPlan(await world.gap('b-1')), never)
    const asked = await Promise.allSettled(
      Array.from({ length: 100 }, (_, n) =>
        startRun(world.deps, prepared, { actor: n % 2 ? 'dana' : 'kim', reason: null, request: null }, async () => {}),
      ),
    )
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const refused = asked.filter((each) => each.status === 'rejected').map(({ reason }) => (reason as Error).message)
    expect(new Set(refused.map((message) => message.replace(/[0-9a-f]{32}/, 'ID')))).toEqual(
      new Set(['Run ID of resend-confirmation is at work on this finding.']),
    )
  })

  it('R7: the same key is the same run, and another body with it is refused', async () => {
    await open()
    const prepared = await prepareRun(world.deps, resendPlan(await world.gap('b-1')), never)
    const ask = (digest: string) =>
      startRun(world.deps, prepared, { actor: 'dana', reason: null, request: { key: 'k-1', digest } }, async () => {})
    const first = await ask('a')
    expect(await ask('a')).toMatchObject({ isNew: false, run: { id: first.run.id } })
    await expect(ask('b')).rejects.toThrow(/was used for another request/)
  })

  it('what the tool shows already is not sent', async () => {
    await open()
    const finding = await world.gap('b-1')
    const run = await world.start(finding)
    const texts = world.workspace.connections.get('texts')!
    const [send] = texts.connector.actions!
    const seeing = {
      ...send!,
      preflight: async () => ({ kind: 'already' as const, message: 'It is there.', evidence: { stream: 'rows', externalId: 'sent-b-1' } }),
    }
    const deps = {
      ...world.deps,
      workspace: {
        ...world.workspace,
        connections: new Map([['texts', { ...texts, connector: { ...texts.connector, actions: [seeing] } }]]),
      },
    }
    world.texts.onEffect('b-1', 1)
    expect(await advanceRun(deps, run.id, never)).toBe('verifying')
    await world.reconcile()
    world.wall += 2_000
    expect(await advanceRun(deps, run.id, never)).toBe('already_satisfied')
    expect(world.texts.calls).toBe(0)
  })

  it('a refusal and a finding that closed meanwhile end by their name, with nothing sent twice', async () => {
    await open({ people: 2 })
    world.texts.manner = () => 'refuse'
    const refused = await world.start(await world.gap('b-1'))
    expect(await world.settle(refused.id)).toMatchObject({ state: 'refused', message: 'The tool said no.' })
    expect(await statusOf(await world.gap('b-1'))).toBe('open')
    const second = await world.gap('b-2')
    const closed = await world.start(second, { steps: resendPlan('', 'b-2').steps })
    await world.workspace.database.sql`update findings set status = 'void', closed_at = now() where id = ${second}::uuid`
    expect(await world.settle(closed.id)).toMatchObject({ state: 'void', message: expect.stringContaining('nothing was sent') })
    expect(world.texts.calls).toBe(1)
  })
})

describe('R8: approval', () => {
  const asking = { approval: { role: 'approver', withinMs: 60 * minute } }
  const decide = (runId: string, hash: string, actor = 'kim', isGranted = true) =>
    decideRun(world.deps, runId, { actor, isGranted, hash, reason: null }, async () => {})

  it('is never the requester’s, of another text or after its time; granted once it runs', async () => {
    await open()
    const run = await world.start(await world.gap('b-1'), asking)
    expect(await advanceRun(world.deps, run.id, never)).toBe('waiting_approval')
    await expect(decide(run.id, run.hash, 'dana')).rejects.toThrow(/cannot approve it/)
    await expect(decide(run.id, 'f'.repeat(64))).rejects.toThrow(/no longer what you saw/)
    const both = await Promise.allSettled([decide(run.id, run.hash, 'kim'), decide(run.id, run.hash, 'lee')])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect((await world.settle(run.id)).state).toBe('verifying')
    expect(world.texts.calls).toBe(1)
  })

  it('expires', async () => {
    await open()
    const run = await world.start(await world.gap('b-1'), asking)
    world.wall += 61 * minute
    await expect(decide(run.id, run.hash)).rejects.toThrow(/expired/)
    expect(await world.settle(run.id)).toMatchObject({ state: 'expired' })
    expect(world.texts.calls).toBe(0)
  })

  it('is void when what the tool shows changed since', async () => {
    await open()
    const run = await world.start(await world.gap('b-1'), asking)
    await decide(run.id, run.hash)
    await world.workspace.database
      .sql`update runs set plan = jsonb_set(plan, '{steps,0,sends,0,value}', '"b-9"') where id = ${run.id}::uuid`
    expect(await world.settle(run.id)).toMatchObject({ state: 'void' })
    expect(world.texts.calls).toBe(0)
  })

  it('can be cancelled, which says what was sent', async () => {
    await open()
    const finding = await world.gap('b-1')
    const run = await world.start(finding)
    await world.settle(run.id)
    expect(await cancelRun(world.deps, run.id, 'dana', 'The patient called.')).toMatchObject({
      state: 'cancelled',
      message: expect.stringContaining('send'),
    })
    await expect(cancelRun(world.deps, run.id, 'dana', 'Again.')).rejects.toThrow(/has ended/)
    // The finding is free again: for another run, or for a waiver.
    expect(await statusOf(finding)).toBe('open')
    expect((await world.start(finding)).state).toBe('acting')
  })
})

describe('R9: limits', () => {
  it('fifty at once never pass the limit of the day together', async () => {
    await open({ people: 50 })
    const runs = []
    for (let n = 1; n <= 50; n++)
      runs.push(
        await world.start(await world.gap(`b-${n}`), { steps: resendPlan('', `b-${n}`).steps, limits: { perDay: 20, amountPerDay: {} } }),
      )
    const ended = await Promise.all(runs.map((run) => advanceRun(world.deps, run.id, never)))
    expect(ended.filter((state) => state === 'verifying')).toHaveLength(20)
    expect(ended.filter((state) => state === 'refused')).toHaveLength(30)
    expect(world.texts.effects).toHaveLength(20)
  })
})
