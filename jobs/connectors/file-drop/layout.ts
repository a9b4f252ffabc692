import { isUtf8 } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'
import { formatOf } from './config.ts'
import type { FileSpec } from './config.ts'
import { guessDelimiter, readQuotedRecord } from './csv.ts'
import type { RowMapper } from './map.ts'
import { readFully } from './scan.ts'
import type { Layout, Place } from './scan.ts'

/** A file that cannot be read as a whole; `drift` names the mapped columns it lacks. */
export class UnreadableFile extends Error {
  readonly missing: readonly string[]
  constructor(message: string, missing: readonly string[] = []) {
    super(message)
    this.missing = missing
  }
}

export interface OpenedLayout {
  readonly layout: Layout
  /** Where the first row begins. */
  readonly start: Place
  /** For each column of the mapping its place in the header; empty for NDJSON. */
  readonly picks: readonly number[]
}

const headerBytes = 262_144

/** Reads the header and says where each mapped column stands. */
export async function readLayout(handle: FileHandle, size: number, file: FileSpec, mapper: RowMapper): Promise<OpenedLayout> {
  const head = await readFully(handle, 0, Math.min(size, headerBytes))
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    throw new UnreadableFile('is UTF-16 text; save or export it as UTF-8 (in Excel: "CSV UTF-8")')
  }
  if (head[0] === 0x50 && head[1] === 0x4b) throw new UnreadableFile('is a spreadsheet or a zip file; export it as CSV')
  if (head[0] === 0x1f && head[1] === 0x8b) throw new UnreadableFile('is compressed (gzip); unpack it first')
  const bom = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0
  const encoding = file.encoding ?? 'utf-8'
  const format = formatOf(file) ?? 'csv'
  if (format === 'ndjson') {
    const first = head
      .subarray(bom, bom + 1024)
      .toString('latin1')
      .trimStart()
    if (first.startsWith('[')) throw new UnreadableFile('is one JSON list; expected NDJSON: one object per line')
    if (first.startsWith('<')) throw new UnreadableFile('looks like HTML or XML; expected NDJSON: one object per line')
    return { layout: { format, delimiter: ',', width: 0, encoding }, start: { offset: bom, line: 0, row: 0 }, picks: [] }
  }
  const chosen = file.delimiter === 'tab' ? '\t' : file.delimiter
  if (file.columns !== undefined) {
    const delimiter = chosen ?? guessDelimiter(head.subarray(bom).toString('latin1').split('\n', 1)[0]!)
    return {
      layout: { format, delimiter, width: file.columns.length, encoding },
      start: { offset: bom, line: 0, row: 0 },
      picks: pick(file.columns, mapper.columns, '`columns`'),
    }
  }
  const bytes = head.subarray(bom)
  const lineEnd = bytes.indexOf(10)
  const firstLine = bytes.subarray(0, lineEnd < 0 ? bytes.length : lineEnd + 1)
  if (encoding === 'utf-8' && !isUtf8(firstLine)) {
    throw new UnreadableFile('has a header that is not UTF-8; export it as UTF-8, or add encoding: windows-1252')
  }
  if (lineEnd < 0 && size > headerBytes) throw new UnreadableFile('has no line end in its first 256 kB; expected a header line and rows')
  const text = new TextDecoder(encoding).decode(encoding === 'utf-8' ? wholeCharacters(bytes) : bytes)
  if (/^\s*</.test(text)) throw new UnreadableFile('looks like HTML or XML; expected CSV with a header line')
  const delimiter = chosen ?? guessDelimiter(text.split('\n', 1)[0]!)
  const header = readQuotedRecord(text, 0, delimiter, true)
  if (header === 'needs_more' || 'broken' in header)
    throw new UnreadableFile(`has a broken header line (${header === 'needs_more' ? 'too long' : header.broken})`)
  const names = header.cells.map((name) => name.trim())
  return {
    layout: { format, delimiter, width: names.length, encoding },
    start: {
      offset: bom + Buffer.byteLength(text.slice(0, header.end), encoding === 'utf-8' ? 'utf8' : 'latin1'),
      line: header.lines,
      row: 0,
    },
    picks: pick(names, mapper.columns, 'its header'),
  }
}

/** Cut inside a character, the rest of it is left off. */
function wholeCharacters(bytes: Buffer): Buffer {
  const lastLine = bytes.lastIndexOf(10)
  return lastLine < 0 ? bytes : bytes.subarray(0, lastLine + 1)
}

function pick(names: readonly string[], wanted: readonly string[], where: string): number[] {
  const missing = wanted.filter((column) => !names.includes(column))
  if (missing.length > 0) {
    const listed = missing.map((column) => `"${column}"`).join(', ')
    // Only names like the wanted ones are shown: in a file without a header the first line holds people.
    const alike = names.filter((name) => missing.some((column) => sameLetters(column) === sameLetters(name)))
    const hint = alike.length > 0 ? `It has ${alike.map((name) => `"${name}"`).join(', ')}. ` : ''
    const many = missing.length === 1 ? 'column' : 'columns'
    throw new UnreadableFile(
      `lacks the ${many} ${listed} that the mapping names. ${hint}Correct the mapping in connections.yaml, or the export`,
      missing,
    )
  }
  const twice = wanted.find((column) => names.indexOf(column) !== names.lastIndexOf(column))
  if (twice !== undefined) throw new UnreadableFile(`has the column "${twice}" twice in ${where}; rename one of them`)
  return wanted.map((column) => names.indexOf(column))
}

function sameLetters(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
}
