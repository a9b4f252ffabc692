import { expect, it } from 'vitest'
import { remember } from '../../server/remembered.ts'

function world(tookMs: number) {
  const at = { now: 1_000, wall: 50_000, watch: 0, counted: 0 }
  const ask = remember<number>({ now: () => at.now, wallNow: () => at.wall, stopwatch: () => at.watch })
  const read = (key = 'a') =>
    ask(key, async () => {
      at.watch += tookMs
      return ++at.counted
    })
  return { at, read }
}

it('counts what is quick whenever it is asked for', async () => {
  const { at, read } = world(3)
  expect(await read()).toEqual({ value: 1, asOf: 1_000 })
  at.now = 2_000
  expect(await read()).toEqual({ value: 2, asOf: 2_000 })
})

it('answers what is slow as last counted, says as of when, and counts anew beside it at most a twentieth of the time', async () => {
  const { at, read } = world(2_000)
  await read()
  at.now = 2_000
  at.wall += 39_000
  expect(await read()).toEqual({ value: 1, asOf: 1_000 })
  expect(at.counted).toBe(1)
  at.wall += 1_000
  expect(await read()).toEqual({ value: 1, asOf: 1_000 })
  expect(at.counted).toBe(2)
  expect(await read()).toEqual({ value: 2, asOf: 2_000 })
})

it('counts once for readers that ask at the same time, and apart for each question', async () => {
  const { at, read } = world(2_000)
  expect((await Promise.all([read(), read(), read('b')])).map(({ value }) => value)).toEqual([1, 1, 2])
  expect(at.counted).toBe(2)
})

it('tells the first reader that it could not count, and asks again', async () => {
  const ask = remember<number>({ now: () => 0, wallNow: () => 0 })
  await expect(ask('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away')
  expect(await ask('a', async () => 7)).toEqual({ value: 7, asOf: 0 })
})
