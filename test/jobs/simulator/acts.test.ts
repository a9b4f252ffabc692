import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { manualClock } from '../../../jobs/simulator/clock.ts'
import { demoSecrets, startSimulator } from '../../../jobs/simulator/simulator.ts'
import { day } from '../../../jobs/simulator/times.ts'

const startAt = Date.parse('2026-03-01T00:00:00Z')

it('what was done in the tools outlives a restart, as the rest of the world does by its seed', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'throughline-acts-'))
  const start = () => startSimulator({ seed: 3, clock: manualClock(startAt + 3 * day), startAt, dataDir, rateLimits: false })
  const first = await start()
  const charge = [...first.world.all('stripe.charges').values()].find(({ body }) => body.paid === true && body.amount_refunded === 0)
  const payment = String(charge?.body.payment_intent)
  const answer = await fetch(`${first.urls.stripe}/v1/refunds`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${demoSecrets.DEMO_STRIPE_KEY}`,
      'content-type': 'application/x-www-form-urlencoded',
      'idempotency-key': 'k',
    },
    body: `payment_intent=${payment}&amount=100`,
  })
  const { id } = (await answer.json()) as { id: string }
  expect(first.acts.ledger).toMatchObject([{ action: 'stripe.refund', target: payment, key: 'k', effects: [id] }])
  await first.stop()

  const again = await start()
  expect(again.world.all('stripe.refunds').get(id)?.body).toMatchObject({ payment_intent: payment, amount: 100 })
  expect([...again.world.all('stripe.charges').values()].find(({ body }) => body.payment_intent === payment)?.body.amount_refunded).toBe(
    100,
  )
  await again.stop()
  await rm(dataDir, { recursive: true, force: true })
})
