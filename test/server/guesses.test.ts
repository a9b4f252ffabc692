import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { withDatabase } from '../support/database.ts'
import { type ServedClinic, serveClinic } from './served-clinic.ts'
import { type Known, password, signedInWorld, type SignedInWorld } from './signed-in.ts'

const main = await withDatabase()
const isFull = process.env.THROUGHLINE_FULL === '1'
let clinic: ServedClinic
let world: SignedInWorld
let victim: Known

beforeAll(async () => {
  clinic = await serveClinic(await main.another())
  world = signedInWorld(clinic.deps, { trustedProxies: ['10.0.0.7'] })
  victim = await world.addPerson('Vic Tim', ['operator'])
})
afterAll(() => clinic?.close())
beforeEach(() => {
  world.wall.at += 24 * 3_600_000
})

async function guess(email: string, address: string, more: Record<string, string> = {}): Promise<number> {
  const browser = world.browser()
  browser.address = address
  return (await browser.send('POST', '/api/v1/sign-in', { email, password: 'a wrong guess' }, more)).status
}
/** How many were looked at; the others were answered 429 before anything was compared. */
const lookedAt = (answers: readonly number[]) => answers.filter((status) => status === 401).length

describe('S5: guesses', () => {
  it('from one network are few, however many accounts, and however many at once', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => guess(`nobody${n}@staff.example`, '198.51.100.4')))
    expect(lookedAt(answers)).toBe(30)
    expect(answers.every((status) => status === 401 || status === 429)).toBe(true)
    world.wall.at += 16 * 60_000
    expect(await guess('nobody@staff.example', '198.51.100.4')).toBe(401)
  })

  it('from within one /64 are those of one guesser, and within one /48 not many more', async () => {
    const near = await Promise.all(
      Array.from({ length: 40 }, (_, n) => guess(`n${n}@staff.example`, `2001:db8:1:2::${(n + 1).toString(16)}`)),
    )
    expect(lookedAt(near)).toBe(30)
    const wide = await Promise.all(
      Array.from({ length: 110 }, (_, n) => guess(`w${n}@staff.example`, `2001:db8:2:${(n + 1).toString(16)}::1`)),
    )
    expect(lookedAt(wide)).toBe(100)
  })

  it('are not many more for saying that they come from elsewhere', async () => {
    const told = (n: number) => ({ 'x-forwarded-for': `203.0.113.${n}` })
    const direct = await Promise.all(Array.from({ length: 40 }, (_, n) => guess(`x${n}@staff.example`, '198.51.100.5', told(n))))
    expect(lookedAt(direct)).toBe(30)
    // By our proxy: what the client wrote before it does not count, the address the proxy saw does.
    const proxied = await Promise.all(
      Array.from({ length: 40 }, (_, n) => guess(`y${n}@staff.example`, '10.0.0.7', { 'x-forwarded-for': `203.0.113.${n}, 198.51.100.6` })),
    )
    expect(lookedAt(proxied)).toBe(30)
  })

  it('at one account from everywhere are few, and do not lock its owner out where they signed in before', async () => {
    const own = world.browser()
    expect((await own.send('POST', '/api/v1/sign-in', { email: victim.email, password })).status).toBe(200)
    const count = isFull ? 10_000 : 60
    const answers: number[] = []
    for (let n = 0; n < count; n += 20)
      answers.push(
        ...(await Promise.all(
          Array.from({ length: 20 }, (_, k) => guess(victim.email, `192.${(n + k) % 256}.${Math.floor((n + k) / 256)}.9`)),
        )),
      )
    expect(lookedAt(answers)).toBe(10)
    expect((await own.send('POST', '/api/v1/sign-in', { email: victim.email, password })).status).toBe(200)
    // The right password of a stranger's browser is not looked at either, until the window is over.
    const elsewhere = world.browser()
    expect((await elsewhere.send('POST', '/api/v1/sign-in', { email: victim.email, password })).status).toBe(429)
    world.wall.at += 16 * 60_000
    expect((await elsewhere.send('POST', '/api/v1/sign-in', { email: victim.email, password })).status).toBe(200)
  })

  it('with the cookie of another account count as a stranger’s', async () => {
    const mallory = await world.addPerson('Mal Lory', ['viewer'])
    const browser = await world.signIn(mallory)
    const answers: number[] = []
    for (let n = 0; n < 12; n++)
      answers.push((await browser.send('POST', '/api/v1/sign-in', { email: victim.email, password: 'a wrong guess' })).status)
    expect(lookedAt(answers)).toBe(10)
  })

  it('are answered in the same words whether or not there is such a person', async () => {
    const say = async (email: string) => {
      const response = await world.browser().send('POST', '/api/v1/sign-in', { email, password: 'a wrong guess' })
      const body = (await response.json()) as Record<string, unknown>
      return { status: response.status, detail: body.detail, code: body.code, cookies: response.headers.getSetCookie() }
    }
    expect(await say('no.one@staff.example')).toEqual(await say(victim.email))
  })
})
