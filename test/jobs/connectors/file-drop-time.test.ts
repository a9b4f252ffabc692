import { describe, expect, it } from 'vitest'
import { explainTimeFormat, makeTimeReader } from '../../../jobs/connectors/file-drop/read-time.ts'
import { Zone } from '../../../jobs/connectors/file-drop/zone.ts'

const iso = (text: string, zone: string | null = null, format = 'iso') => {
  const at = makeTimeReader({ column: 't', format, zone }).read(text)
  return Number.isNaN(at) ? null : new Date(at).toISOString()
}
const why = (text: string, zone: string | null = null, format = 'iso') => makeTimeReader({ column: 't', format, zone }).explain(text)

describe('times of a file', () => {
  it.each([
    ['2024-01-02T10:00:00Z', null, 'iso', '2024-01-02T10:00:00.000Z'],
    ['2024-01-02 10:00:00.25+02:00', null, 'iso', '2024-01-02T08:00:00.250Z'],
    ['2024-01-02T10:00:00.123456-0530', null, 'iso', '2024-01-02T15:30:00.123Z'],
    ['2024-01-02 10:00:00 +02', null, 'iso', '2024-01-02T08:00:00.000Z'],
    ['2024-01-02T10:00Z', null, 'iso', '2024-01-02T10:00:00.000Z'],
    ['2024-01-02 10:00', 'Europe/Rome', 'iso', '2024-01-02T09:00:00.000Z'],
    ['2024-07-02 10:00:00', 'Europe/Rome', 'iso', '2024-07-02T08:00:00.000Z'],
    ['2024-07-02T10:00:00Z', 'Europe/Rome', 'iso', '2024-07-02T10:00:00.000Z'],
    ['2024-02-29 00:00:00', 'UTC', 'iso', '2024-02-29T00:00:00.000Z'],
    ['1349794217.0', null, 'epoch-s', '2012-10-09T14:50:17.000Z'],
    ['1349794217.5', null, 'epoch-s', '2012-10-09T14:50:17.500Z'],
    ['1349794217000', null, 'epoch-ms', '2012-10-09T14:50:17.000Z'],
    ['31/12/2023 23:59', 'Europe/Rome', 'dd/MM/yyyy HH:mm', '2023-12-31T22:59:00.000Z'],
    ['1/2/2024 3:04 PM', 'America/New_York', 'M/d/yyyy h:mm a', '2024-01-02T20:04:00.000Z'],
    ['12:30 AM, Jan 5 2024', 'UTC', 'h:mm a, MMM d yyyy', '2024-01-05T00:30:00.000Z'],
    ['20240102T100000.500+01:00', null, "yyyyMMdd'T'HHmmss.SSSXXX", '2024-01-02T09:00:00.500Z'],
  ])('%s (zone %s, format %s) is %s', (text, zone, format, expected) => {
    expect(iso(text, zone, format)).toBe(expected)
  })

  it.each([
    ['2024-01-02 10:00', null, 'iso'],
    ['2024-02-30T10:00:00Z', null, 'iso'],
    ['2023-02-29T10:00:00Z', null, 'iso'],
    ['2024-01-02T24:01:00Z', null, 'iso'],
    ['2024-01-02T10:00:00X', null, 'iso'],
    ['2024-01-02T10:0a:00Z', null, 'iso'],
    ['yesterday', 'UTC', 'iso'],
    ['1e9', null, 'epoch-s'],
    ['0x10', null, 'epoch-s'],
    ['1349794217000', null, 'epoch-s'],
    ['31/12/2023', 'UTC', 'dd/MM/yyyy HH:mm'],
    ['31/12/2023 23:59 ', 'UTC', 'dd/MM/yyyy HH:mm'],
    ['13:00 PM', 'UTC', 'h:mm a'],
  ])('%s (zone %s, format %s) is none', (text, zone, format) => {
    expect(iso(text, zone, format)).toBeNull()
  })

  it('says what to do about a time without a zone', () => {
    expect(why('2024-01-02 10:00')).toBe(
      'the time "2024-01-02 10:00" in column t has no zone; add zone: Europe/Rome (the zone in which the tool writes it) to its time in connections.yaml',
    )
  })

  it('never repeats what stands in a cell that is no time', () => {
    const said = why('Mary 19.03.1971')
    expect(said).toContain('column t holds "xxxx 99.99.9999", which is no ISO time')
    expect(why('mary@example.org', 'UTC', 'dd/MM/yyyy')).toBe('column t holds "xxxx@xxxxxxx.xxx", which does not fit the format dd/MM/yyyy')
    expect(why('', null)).toBe('column t is empty; expected a time')
    expect(why('1349794217000', null, 'epoch-s')).toBe('the time in column t is outside 1900–2200 as epoch-s; is it epoch-ms?')
  })

  it('takes a day without a time of day as all of that day', () => {
    const reader = makeTimeReader({ column: 't', format: 'iso', zone: 'Europe/Rome' })
    expect(reader.isDay('2024-03-31')).toBe(true)
    expect(new Date(reader.read('2024-03-31')).toISOString()).toBe('2024-03-30T23:00:00.000Z')
    expect(new Date(reader.endOfDay('2024-03-31')).toISOString()).toBe('2024-03-31T21:59:59.999Z')
  })

  it.each([
    ['iso', undefined, null],
    ['dd/MM/yyyy HH:mm', undefined, 'times of this format state no zone'],
    ['dd/MM/yyyy HH:mm', 'Mars/Phobos', 'the zone is unknown'],
    ['dd/MM HH:mm', 'UTC', 'the format needs a year'],
    ['dd/MM/yyyy hh:mm', 'UTC', '12-hour clock'],
    ['dd/MM/yyyyTHH:mm', 'UTC', 'the format has "T", which means nothing'],
  ])('checks the format %s with zone %s when it is configured', (format, zone, expected) => {
    const wrong = explainTimeFormat(format, zone)
    if (expected === null) expect(wrong).toBeNull()
    else expect(wrong).toContain(expected)
  })
})

describe('P19: wall clocks that repeat or skip an hour', () => {
  const zone = new Zone('America/New_York')
  const instant = (local: string) => new Date(zone.toInstant(Date.parse(`${local}Z`))).toISOString()
  it('reads the ambiguous 01:30 as its first pass', () => {
    expect(instant('2024-11-03T01:30:00')).toBe('2024-11-03T05:30:00.000Z')
    expect(instant('2024-11-03T02:00:00')).toBe('2024-11-03T07:00:00.000Z')
    expect(instant('2024-11-03T00:59:59')).toBe('2024-11-03T04:59:59.000Z')
  })
  it('reads the missing 02:30 as the instant the clock would have shown', () => {
    expect(instant('2024-03-10T02:30:00')).toBe('2024-03-10T07:30:00.000Z')
    expect(instant('2024-03-10T03:00:00')).toBe('2024-03-10T07:00:00.000Z')
    expect(instant('2024-03-10T01:59:59')).toBe('2024-03-10T06:59:59.000Z')
  })
})
