import { describe, expect, it } from 'vitest'
import { addExpectation, type ExpectationDraft, writeFirstProgram } from '../../../jobs/domain/draft-expectation.ts'
import { parseProgram } from '../../../jobs/domain/parse-program.ts'
import { diffText } from '../../../jobs/domain/diff-lines.ts'

const draft = (more: Partial<ExpectationDraft> = {}): ExpectationDraft => ({
  name: 'seen-soon',
  after: { name: 'booked', isNew: null },
  expect: { name: 'seen', isNew: { stream: 'ehr.encounters', when: { status: 'finished' } } },
  within: '7d',
  per: null,
  severity: 'high',
  owner: null,
  ifItFails: null,
  ...more,
})

const block = `# what we promise
program: visits
owner: care
journey: { per: subject, starts: booked }
steps:
    booked:      # in the calendar
        stream: booking.bookings
        when: { status: accepted }

    # texts
    confirmed: { stream: texts.messages }   # delivered or not

expectations:
    told: { after: booked, expect: confirmed, within: 15m }
    # more to come

# the end
`
const endsInText = block.replace(
  '    told: {',
  '    told:\n        if_it_fails: |\n            Nobody knows.\n            Nobody comes.\n        after: booked\n        expect: confirmed\n    again: {',
)
const flow = `program: visits
owner: care
journey: { per: subject, starts: booked }
steps: { booked: { stream: booking.bookings }, confirmed: { stream: texts.messages } }
expectations: { told: { after: booked, expect: confirmed } }
`
const empty = block.replace(/expectations:[\s\S]*$/, 'expectations: {}\n')
const bare = block.replace(/expectations:[\s\S]*$/, 'expectations:   # none yet\n')
const none = block.replace(/expectations:[\s\S]*$/, '')
const cut = block
  .trimEnd()
  .replace(/\n\n# the end$/, '')
  .replace(/\n.*more to come$/, '')

const read = (text: string | null) => {
  const parsed = parseProgram(text ?? '', 'visits.yaml')
  if (!parsed.ok) throw new Error(`${parsed.problems.map(({ line, message }) => `${line}: ${message}`).join('\n')}\n${text}`)
  return parsed.program
}

describe('a promise added to a program', () => {
  it.each([
    ['of blocks, four spaces deep, with comments', block],
    ['whose last promise ends in a text of several lines', endsInText],
    ['on one line each', flow],
    ['without a promise', empty],
    ['with nothing after the colon', bare],
    ['without the block', none],
    ['without a last newline', cut],
    ['with the line ends of Windows', block.replaceAll('\n', '\r\n')],
  ])('%s keeps every line as it was', (_, source) => {
    const text = addExpectation(source, draft())
    const program = read(text)
    expect(program.expectations.at(-1)).toMatchObject({
      name: 'seen-soon',
      after: 'booked',
      expect: 'seen',
      severity: 'high',
      within: { offsetMs: 604_800_000 },
    })
    expect(program.steps.get('seen')).toMatchObject({ stream: 'ehr.encounters', when: { status: 'finished' } })
    expect([...program.steps.keys()]).toEqual(['booked', 'confirmed', 'seen'])
    if (source === flow || source === empty || source === bare) return
    const gone = diffText(source, text ?? '').filter(({ kind }) => kind === 'removed')
    expect(gone).toEqual([])
  })

  it('puts the new lines where a person would: below the others, as deep as they are', () => {
    expect(addExpectation(block, draft())).toContain(`within: 15m }
    seen-soon:
      after: booked
      expect: seen
      within: 7d
      severity: high
    # more to come`)
    expect(addExpectation(block, draft())).toContain(`# delivered or not
    seen: { stream: ehr.encounters, when: { status: finished } }
`)
  })

  it.each([
    [
      'a state YAML reads as something else',
      { expect: { name: 'seen', isNew: { stream: 'ehr.encounters', when: { status: 'on' } } } },
      'status: "on"',
    ],
    ['a sentence with a colon', { ifItFails: 'They wait: nobody calls.' }, 'if_it_fails: "They wait: nobody calls."'],
    ['a deadline on a field', { within: '24h before booked.startsAt' }, 'within: 24h before booked.startsAt'],
    ['an object', { per: 'appointment' }, 'per: appointment'],
  ])('quotes only what must be: %s', (_, more, expected) => {
    const text = addExpectation(block, draft(more))
    expect(text).toContain(expected)
    read(text)
  })

  it('says when it cannot: the text is no YAML', () => {
    expect(addExpectation('program: [', draft())).toBeNull()
    expect(addExpectation('just words', draft())).toBeNull()
  })

  it('adds a new step once, also when both ends are that step', () => {
    const both = { name: 'seen', isNew: { stream: 'ehr.encounters', when: {} } }
    expect(addExpectation(block, draft({ after: both, expect: both }))?.match(/seen: \{/g)).toHaveLength(1)
  })
})

describe('a first program', () => {
  it('is one that can be read, with its two steps and the promise', () => {
    const booked = { name: 'booked', isNew: { stream: 'booking.bookings', when: { status: 'accepted' } } }
    const program = read(
      writeFirstProgram(
        { key: 'visits', title: 'Visits: all of them', owner: 'care', timezone: 'Europe/Berlin' },
        draft({ after: booked }),
      ),
    )
    expect(program).toMatchObject({
      key: 'visits',
      title: 'Visits: all of them',
      owner: 'care',
      timezone: 'Europe/Berlin',
      journey: { starts: 'booked' },
    })
    expect([...program.steps.keys()]).toEqual(['booked', 'seen'])
    expect(program.expectations).toMatchObject([{ name: 'seen-soon', after: 'booked', expect: 'seen' }])
  })
})
