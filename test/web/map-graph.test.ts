import { describe, expect, it } from 'vitest'
import { toGraph, widthOf } from '../../web/src/lib/map/graph.ts'
import { layOut, nearest, stepSize } from '../../web/src/lib/map/layout.ts'
import { edgeInWords, edgeLabel } from '../../web/src/lib/map/words.ts'
import type { ProgramMap } from '../../web/src/lib/api-types.ts'

const step = (name: string): ProgramMap['steps'][number] => ({
  step: name,
  title: name,
  stream: `${name}.rows`,
  connection: name,
  connectionTitle: name,
  journeys: 100,
  last: { open: 0, ended: 0, abandoned: 0 },
  hereNow: 0,
})
const move = (from: string | null, to: string, journeys: number): ProgramMap['moves'][number] => ({ from, to, journeys, medianMs: 120_000 })
const promise = (
  expectation: string,
  kind: string,
  from: string | null,
  to: string | null,
  openFindings = 0,
): ProgramMap['promises'][number] => ({
  expectation,
  called: [expectation],
  kind,
  title: expectation,
  promise: expectation,
  severity: 'high',
  from,
  to,
  activations: 10,
  violations: 0,
  unknown: 0,
  openFindings,
})
const map = {
  journeys: 100,
  steps: ['paid', 'booked', 'confirmed', 'seen', 'stopped'].map(step),
  moves: [
    move(null, 'paid', 100),
    move('paid', 'booked', 90),
    move('booked', 'confirmed', 80),
    move('confirmed', 'seen', 70),
    move('seen', 'paid', 5),
    move('paid', 'seen', 2),
    move('gone', 'seen', 50),
  ],
  promises: [
    promise('confirmed-soon', 'follows', 'booked', 'confirmed', 7),
    promise('confirmed-first', 'order', 'booked', 'confirmed', 1),
    promise('seen-in-time', 'follows', 'paid', 'confirmed'),
    promise('no-visit-after-stop', 'never', 'stopped', 'seen'),
    promise('one-charge', 'at_most', null, 'paid', 3),
    promise('agrees', 'agree', null, null),
    promise('of-a-step-taken-out', 'follows', 'booked', 'gone'),
  ],
}

describe('the graph of a program', () => {
  const graph = toGraph(map, false)
  const edge = (id: string) => graph.edges.find((one) => one.id === id)

  it('joins what journeys did with what is promised', () => {
    expect(edge('booked..confirmed')).toMatchObject({
      journeys: 80,
      openFindings: 8,
      isForbidden: false,
      promises: [{ expectation: 'confirmed-soon' }, { expectation: 'confirmed-first' }],
    })
    expect(edge('paid..confirmed')).toMatchObject({ journeys: 0, medianMs: null, promises: [{ expectation: 'seen-in-time' }] })
    expect(edge('stopped..seen')).toMatchObject({ journeys: 0, isForbidden: true })
    expect(edge('gone..seen')).toBeUndefined()
    expect(graph.most).toBe(90)
  })
  it('leaves rare ways out until they are asked for, and says how many', () => {
    expect(edge('paid..seen')).toBeUndefined()
    expect(edge('seen..paid')).toBeDefined()
    expect(graph.rare).toBe(1)
    expect(toGraph(map, true).edges.some(({ id }) => id === 'paid..seen')).toBe(true)
  })
  it('keeps promises about one step or none', () => {
    expect(graph.ofStep.get('paid')?.map(({ expectation }) => expectation)).toEqual(['one-charge'])
    expect(graph.ofNone.map(({ expectation }) => expectation)).toEqual(['agrees', 'of-a-step-taken-out'])
  })
  it('draws more for more journeys', () => {
    expect([0, 1, 45, 90].map((journeys) => widthOf(journeys, 90)).map(Math.round)).toEqual([2, 2, 6, 8])
  })
  it('says each line in words', () => {
    expect(graph.edges.map(edgeLabel)).toEqual(['90 · 2 min', '80 · 2 min', '70 · 2 min', '5 · 2 min', 'promised', 'must not'])
    expect(edgeInWords(edge('booked..confirmed')!)).toBe('80 journeys went straight, half within 2 min; 2 promises, 8 open findings')
    expect(edgeInWords(edge('paid..confirmed')!)).toBe('no journey went straight; 1 promise, 0 open findings')
  })

  it('is laid out from the top down, nothing on top of anything, all of it inside', async () => {
    const layout = await layOut(toGraph(map, true), edgeLabel)
    const y = (name: string) => layout.steps.find((one) => one.step.step === name)!.y
    expect(y('paid')).toBeLessThan(y('booked'))
    expect(y('booked')).toBeLessThan(y('confirmed'))
    expect(y('confirmed')).toBeLessThan(y('seen'))
    for (const a of layout.steps) {
      expect(a.x - stepSize.width / 2).toBeGreaterThanOrEqual(0)
      expect(a.x + stepSize.width / 2).toBeLessThanOrEqual(layout.width)
      expect(a.y + stepSize.height / 2).toBeLessThanOrEqual(layout.height)
      for (const b of layout.steps)
        if (a !== b) expect(Math.abs(a.x - b.x) >= stepSize.width || Math.abs(a.y - b.y) >= stepSize.height).toBe(true)
    }
    for (const { path, label } of layout.edges) {
      expect(path).toMatch(/^M [\d. -]+/)
      expect(label.y).toBeGreaterThan(0)
    }
  })
  it('of a single step, or of none, is laid out too', async () => {
    expect((await layOut(toGraph({ ...map, steps: [step('paid')], moves: [], promises: [] }, false), edgeLabel)).steps).toHaveLength(1)
    expect((await layOut(toGraph({ ...map, steps: [], moves: [], promises: [] }, false), edgeLabel)).steps).toEqual([])
  })
})

describe('arrow keys', () => {
  const at = (x: number, y: number, name: string) => ({ x, y, name })
  const places = [at(0, 0, 'middle'), at(0, 100, 'below'), at(90, 60, 'aside'), at(200, 10, 'right'), at(-50, -80, 'above')]
  it.each([
    ['down', 'below'],
    ['right', 'aside'],
    ['up', 'above'],
    ['left', 'above'],
  ] as const)('%s goes to what is nearest there', (direction, name) => expect(nearest(places, places[0]!, direction)?.name).toBe(name))
  it('stay where there is nothing further', () => expect(nearest(places, places[4]!, 'up')).toBeUndefined())
})
