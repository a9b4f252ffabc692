import { isAscii, isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { canonicalRow, readQuotedRecord } from './csv.ts'
import { invisible } from './map.ts'

/** Where a file was read to. `line` and `row` count what lies before `offset`. */
export interface Place {
  readonly offset: number
  readonly line: number
  readonly row: number
}

export interface Layout {
  readonly format: 'csv' | 'ndjson'
  readonly delimiter: string
  /** Columns of the header; 0 for NDJSON. */
  readonly width: number
  readonly encoding: 'utf-8' | 'windows-1252' | 'iso-8859-15'
}

export interface RowSink {
  /** `cells`: of CSV, in header order; `text`: the row, the same for the same content. */
  row(row: {
    readonly cells: readonly string[]
    readonly text: string
    readonly line: number
    readonly row: number
    readonly suspicious: boolean
  }): void
  broken(line: number, raw: string | Uint8Array, reason: string): void
}

export interface ScanLimits {
  /** The size the file had when it was begun; what was appended since is left for the next pass. */
  readonly until: number
  readonly maxRows: number
  /** Whether a last row without a line end is complete. */
  readonly takeTail: boolean
}

/** The file ended before the size it had when it was begun. */
export class FileCut extends Error {}

const smallestReadBytes = 65_536
const largestReadBytes = 8_388_608
const longestRowBytes = 4_194_304

/** Reads rows from `from` on, a bounded part of the file at a time, and returns where it stopped. */
export async function scanRows(handle: FileHandle, layout: Layout, from: Place, limits: ScanLimits, sink: RowSink): Promise<Place> {
  let place = from
  let rowsLeft = limits.maxRows
  let bytesPerRow = from.row > 0 ? from.offset / from.row : 100
  let want = 0
  while (rowsLeft > 0 && place.offset < limits.until) {
    want = Math.max(want, Math.min(largestReadBytes, Math.max(smallestReadBytes, Math.ceil(rowsLeft * bytesPerRow * 1.1))))
    const length = Math.min(want, limits.until - place.offset)
    const bytes = await readFully(handle, place.offset, length)
    const atEnd = place.offset + length === limits.until
    const hardEnd = atEnd && limits.takeTail
    const usable = hardEnd ? length : bytes.lastIndexOf(10) + 1
    const step =
      usable === 0 ? { bytes: 0, lines: 0, rows: 0 } : readSegment(bytes.subarray(0, usable), layout, place, rowsLeft, hardEnd, sink)
    if (step.bytes === 0) {
      if (atEnd && !hardEnd) return place
      if (want > longestRowBytes) {
        const skipped = await skipLine(handle, place.offset, limits.until)
        sink.broken(place.line + 1, bytes, 'the line is longer than 4 MB')
        place = { offset: skipped, line: place.line + 1, row: place.row + 1 }
      }
      want = Math.max(want * 4, smallestReadBytes)
      continue
    }
    want = 0
    place = { offset: place.offset + step.bytes, line: place.line + step.lines, row: place.row + step.rows }
    rowsLeft -= step.rows
    if (step.rows > 0) bytesPerRow = step.bytes / step.rows
  }
  return place
}

interface Step {
  readonly bytes: number
  readonly lines: number
  readonly rows: number
}

/** A part that ends with a line end or with the file. A line that is no UTF-8 is set aside; the lines around it are read. */
function readSegment(bytes: Buffer, layout: Layout, place: Place, rowsLeft: number, hardEnd: boolean, sink: RowSink): Step {
  if (layout.encoding !== 'utf-8') {
    const text = new TextDecoder(layout.encoding).decode(bytes)
    const step = readText(text, layout, place, rowsLeft, hardEnd, sink)
    return { bytes: step.characters, lines: step.lines, rows: step.rows }
  }
  if (isAscii(bytes)) {
    const step = readText(bytes.toString('latin1'), layout, place, rowsLeft, hardEnd, sink)
    return { bytes: step.characters, lines: step.lines, rows: step.rows }
  }
  let at = 0
  let lines = 0
  let rows = 0
  while (at < bytes.length && rows < rowsLeft) {
    const rest = bytes.subarray(at)
    const bad = isUtf8(rest) ? null : firstBrokenLine(rest)
    const good = bad === null ? rest : rest.subarray(0, bad.start)
    if (good.length > 0) {
      const text = good.toString('utf8')
      const here = { offset: 0, line: place.line + lines, row: place.row + rows }
      const step = readText(text, layout, here, rowsLeft - rows, bad !== null || hardEnd, sink)
      lines += step.lines
      rows += step.rows
      if (step.characters < text.length) return { bytes: at + Buffer.byteLength(text.slice(0, step.characters)), lines, rows }
      at += good.length
    }
    if (bad !== null) {
      if (rows >= rowsLeft) break
      lines += 1
      rows += 1
      sink.broken(
        place.line + lines,
        rest.subarray(bad.start, bad.end),
        'the line is not valid UTF-8; export the file as UTF-8 or set its encoding',
      )
      at += bad.end - bad.start
    }
  }
  return { bytes: at, lines, rows }
}

function firstBrokenLine(bytes: Buffer): { start: number; end: number } {
  let start = 0
  for (;;) {
    const newline = bytes.indexOf(10, start)
    const end = newline < 0 ? bytes.length : newline + 1
    if (!isUtf8(bytes.subarray(start, end)) || end === bytes.length) return { start, end }
    start = end
  }
}

function readText(
  text: string,
  layout: Layout,
  place: Place,
  rowsLeft: number,
  hardEnd: boolean,
  sink: RowSink,
): { characters: number; lines: number; rows: number } {
  const { delimiter, width } = layout
  const isCsv = layout.format === 'csv'
  const hasQuotes = isCsv && text.includes('"')
  const odd = invisible.test(text) || (!isCsv && text.includes('\\u'))
  let at = 0
  let line = place.line
  let row = place.row
  const lastRow = row + rowsLeft
  while (at < text.length && row < lastRow) {
    const newline = text.indexOf('\n', at)
    const next = newline < 0 ? text.length : newline + 1
    let end = newline < 0 ? text.length : newline
    if (end > at && text.charCodeAt(end - 1) === 13) end -= 1
    if (end === at) {
      at = next
      line += 1
      continue
    }
    const raw = text.slice(at, end)
    if (!isCsv || !hasQuotes || !raw.includes('"')) {
      line += 1
      row += 1
      at = next
      const suspicious = odd && (invisible.test(raw) || raw.includes('\\u'))
      if (suspicious && raw.includes('\0')) sink.broken(line, raw, 'the line holds a NUL character')
      else if (!isCsv) sink.row({ cells: [], text: raw, line, row, suspicious })
      else {
        const cells = raw.split(delimiter)
        if (cells.length === width) sink.row({ cells, text: raw, line, row, suspicious })
        else sink.broken(line, raw, `the row has ${countOf(cells.length, 'column')}, the header ${width}`)
      }
      continue
    }
    const record = readQuotedRecord(text, at, delimiter, hardEnd)
    if (record === 'needs_more') break
    row += 1
    if ('broken' in record) {
      line += 1
      at = record.end
      sink.broken(line, raw, record.broken)
      continue
    }
    if (record.cells.length !== width) {
      line += 1
      at = next
      sink.broken(line, raw, `the row has ${countOf(record.cells.length, 'column')}, the header ${width}`)
      continue
    }
    const whole = text.slice(at, record.end)
    if (odd && whole.includes('\0')) sink.broken(line + 1, whole, 'the row holds a NUL character')
    else
      sink.row({
        cells: record.cells,
        text: canonicalRow(record.cells, delimiter),
        line: line + 1,
        row,
        suspicious: odd && invisible.test(whole),
      })
    line += record.lines
    at = record.end
  }
  return { characters: at, lines: line - place.line, rows: row - place.row }
}

export function countOf(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`
}

/** SHA-256 of what stood there, hex. */
export function rawHashOf(raw: string | Uint8Array): string {
  return hash('sha256', raw, 'hex')
}

export async function readFully(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled)
    if (bytesRead === 0) throw new FileCut()
    filled += bytesRead
  }
  return bytes
}

async function skipLine(handle: FileHandle, offset: number, until: number): Promise<number> {
  for (let at = offset; at < until; ) {
    const bytes = await readFully(handle, at, Math.min(1_048_576, until - at))
    const newline = bytes.indexOf(10)
    if (newline >= 0) return at + newline + 1
    at += bytes.length
  }
  return until
}
