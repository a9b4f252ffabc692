import { hash } from 'node:crypto'
import { ToolError } from '../connector.ts'
import type { Drift, PollPage, Quarantined, ReadRecord, Standing } from '../connector.ts'
import type { FileSpec } from './config.ts'
import { openCursor } from './cursor.ts'
import type { Aside, Cursor, Position } from './cursor.ts'
import { findFiles, hashFile, statFile, withFile } from './files.ts'
import type { FoundFile } from './files.ts'
import { readJsonRow } from './json-row.ts'
import { readLayout, UnreadableFile } from './layout.ts'
import type { OpenedLayout } from './layout.ts'
import { makeRowMapper } from './map.ts'
import type { RowMapper } from './map.ts'
import { Occurrences } from './occurrences.ts'
import { FileCut, rawHashOf, scanRows } from './scan.ts'
import type { RowSink } from './scan.ts'
import { standingOf } from './standing.ts'

/** What is kept between pages so that a file is not begun again for each; rebuilt from the cursor when it is not there. */
export interface Session {
  readonly name: string
  readonly stamp: string
  readonly opened: OpenedLayout
  readonly mapper: RowMapper
  readonly seen: Occurrences | null
  /** NDJSON: mapped columns that stood in some row, and in how many rows they were looked for. */
  readonly columns: Set<string>
  rows: number
  offset: number
}

export interface StreamFiles {
  readonly connection: string
  readonly stream: string
  readonly entries: readonly FileSpec[]
  readonly directory: string
}

export interface ReadBudget {
  readonly now: number
  readonly pageSize: number
  readonly signal: AbortSignal
}

const mostRestarts = 3
/** Characters of the cursor as JSON: some 600 files. */
const largestCursor = 60_000
const blockAfterRows = 20
const absentAfterRows = 20
const mostDrifts = 20

/** One page of a stream: rows of its files in order, each file from where the cursor stands. */
export async function readPage(source: StreamFiles, given: unknown, budget: ReadBudget, sessions: Map<string, Session>): Promise<PollPage> {
  const reader = new PageReader(source, given, budget, sessions)
  try {
    return await reader.read()
  } catch (error) {
    if (error instanceof ToolError || budget.signal.aborted) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === undefined) throw error
    throw new ToolError(
      'network',
      `${reader.where} cannot be read (${code}). Check that the file and its folder may be read by this user.`,
      { cause: error },
    )
  }
}

class PageReader {
  readonly #source: StreamFiles
  readonly #budget: ReadBudget
  readonly #sessions: Map<string, Session>
  readonly #records: ReadRecord[] = []
  readonly #quarantined: Quarantined[] = []
  readonly #drift = new Map<string, Drift>()
  #cursor: Cursor
  #listed: ReadonlyMap<string, { readonly entry: FileSpec; readonly file: FoundFile }> | null = null

  constructor(source: StreamFiles, given: unknown, budget: ReadBudget, sessions: Map<string, Session>) {
    this.#source = source
    this.#budget = budget
    this.#sessions = sessions
    // How many broken rows are accepted changes what counts, not what is read.
    const mapped = source.entries.map(({ accept_broken_rows: _, ...entry }) => entry)
    const mapping = hash('sha256', JSON.stringify(mapped), 'base64url').slice(0, 12)
    this.#cursor = openCursor(given, mapping)
  }

  get where(): string {
    const file = this.#cursor.at?.name ?? this.#source.entries.map((entry) => entry.path).join(', ')
    return `File ${file} of stream "${this.#source.stream}" of connection "${this.#source.connection}"`
  }

  get #key(): string {
    return `${this.#source.connection}\0${this.#source.stream}`
  }

  async read(): Promise<PollPage> {
    const cursor = this.#cursor
    if (cursor.pass === null) {
      cursor.pass = { startedAt: this.#budget.now, restarts: 0 }
      for (const file of Object.values(cursor.known)) file[7] = 0
    }
    let complete = false
    while (this.#records.length + this.#quarantined.length < this.#budget.pageSize) {
      this.#budget.signal.throwIfAborted()
      if (cursor.at === null) {
        cursor.at = await this.#nextFile()
        if (cursor.at === null) {
          complete = true
          break
        }
      }
      if (!(await this.#readFile(cursor.at))) break
    }
    if (!complete && cursor.at === null && cursor.blocked === null) {
      cursor.at = await this.#nextFile()
      complete = cursor.at === null
    }
    this.#refuseTooManyFiles()
    const { startedAt } = cursor.pass
    const standing = complete ? await this.#standing() : null
    const to = standing === null ? startedAt : standing.withheld === null ? this.#completeTo(startedAt) : 0
    if (complete) cursor.pass = null
    return {
      records: this.#records,
      quarantined: this.#quarantined,
      drift: [...this.#drift.values()],
      cursor,
      coverage: { from: null, to, complete },
      ...(standing === null ? {} : { standing }),
    }
  }

  async #standing(): Promise<Standing> {
    const listed = await this.#list()
    return standingOf(`${this.#source.connection}.${this.#source.stream}`, this.#cursor.aside, (name) => listed.get(name)?.entry)
  }

  #asideOf(name: string): Aside {
    return (this.#cursor.aside[name] ??= { n: 0, first: null, drift: [] })
  }

  #noteDrift(name: string, drift: Drift): void {
    this.#drift.set(drift.path, drift)
    const { drift: known } = this.#asideOf(name)
    if (known.length < mostDrifts && !known.some(([path, what]) => path === drift.path && what === drift.what))
      known.push([drift.path, drift.what])
  }

  #refuseTooManyFiles(): void {
    const files = Object.keys(this.#cursor.known).length
    if (files < 100 || JSON.stringify(this.#cursor).length <= largestCursor) return
    throw new ToolError(
      'budget',
      `Stream "${this.#source.stream}" of connection "${this.#source.connection}" has more files than can be followed (${files} so far). Move files that were read to another folder, or join them.`,
    )
  }

  /** The first file, in order, of which something is unread. Null: all is read. */
  async #nextFile(): Promise<Position | null> {
    const { known, aside } = this.#cursor
    const listed = await this.#list()
    for (const { entry, file } of listed.values()) {
      const position = await this.#unread(entry, file)
      if (position === null) continue
      // Read from its start, it tells anew which of its rows are broken.
      if (position.offset === 0) delete aside[file.name]
      return position
    }
    for (const name of Object.keys(known)) if (!listed.has(name)) delete known[name]
    for (const name of Object.keys(aside)) if (!listed.has(name)) delete aside[name]
    return null
  }

  /** The files there are when the page begins, by name, each with the mapping it falls under first. */
  async #list(): Promise<ReadonlyMap<string, { readonly entry: FileSpec; readonly file: FoundFile }>> {
    if (this.#listed !== null) return this.#listed
    const listed = new Map<string, { entry: FileSpec; file: FoundFile }>()
    for (const entry of this.#source.entries) {
      const files = (await findFiles(entry.path, this.#source.directory)).filter((file) => !(entry.watch === true && file.size === 0))
      if (files.length === 0) {
        const advice = entry.watch
          ? 'The stream waits for the first one.'
          : 'Put the export there, or correct the path in connections.yaml.'
        throw new ToolError(
          'not_found',
          `There is no file ${entry.path} in ${this.#source.directory} for stream "${this.#source.stream}" of connection "${this.#source.connection}". ${advice}`,
        )
      }
      for (const file of files) if (!listed.has(file.name)) listed.set(file.name, { entry, file })
    }
    this.#listed = listed
    return listed
  }

  async #unread(entry: FileSpec, file: FoundFile): Promise<Position | null> {
    const before = this.#cursor.known[file.name]
    if (file.size === 0) {
      throw new ToolError(
        'bad_response',
        `File ${file.name} of connection "${this.#source.connection}" is empty, without even a header line. Export it again; what was read before stays.`,
      )
    }
    const position = {
      name: file.name,
      stamp: file.stamp,
      hash: '',
      size: file.size,
      mtimeMs: file.mtimeMs,
      offset: 0,
      line: 0,
      row: 0,
      good: 0,
      tail: entry.watch !== true,
    }
    if (before === undefined) return { ...position, hash: (await hashFile(file.path, file.size, null, this.#budget.signal)).whole }
    const [stamp, contentHash, size, , offset, line, row, inThisPass] = before
    if (inThisPass === 1 || (stamp === file.stamp && offset >= size)) return null
    const held = { ...position, hash: contentHash, offset, line, row, good: 1, tail: true }
    if (stamp === file.stamp) return held
    const hashes = await hashFile(file.path, file.size, size, this.#budget.signal)
    if (file.size === size && hashes.whole === contentHash) {
      this.#cursor.known[file.name] = [file.stamp, contentHash, size, file.mtimeMs, offset, line, row, inThisPass]
      return offset >= size ? null : held
    }
    if (file.size > size && hashes.prefix === contentHash && (await endsLine(file.path, offset))) {
      return { ...position, hash: hashes.whole, offset, line, row, good: 1 }
    }
    if (file.size < size / 2 && size > 1024 && entry.may_shrink !== true) {
      throw new ToolError(
        'bad_response',
        `File ${file.name} of connection "${this.#source.connection}" shrank from ${size} to ${file.size} bytes, so the export is probably incomplete. Nothing was read from it. Export it again, or set may_shrink: true if that is right.`,
      )
    }
    return { ...position, hash: hashes.whole }
  }

  /** Reads rows of the file into the page. False: the page ends here. */
  async #readFile(at: Position): Promise<boolean> {
    const found = await statFile(at.name, this.#source.directory)
    if (found === null || found.size < at.size) return this.#restart(at)
    if (this.#cursor.blocked !== null) {
      if (found.stamp === at.stamp) throw new ToolError('bad_response', this.#cursor.blocked)
      this.#cursor.blocked = null
      return this.#restart(at)
    }
    let opened: Session
    let failed: string | null = null
    const first = { refused: null as { line: number; reason: string } | null, before: at.good }
    try {
      opened = await this.#session(at, found.path)
      if (at.offset === 0) Object.assign(at, opened.opened.start)
      const sink = this.#sink(at, opened, first)
      const maxRows = this.#budget.pageSize - this.#records.length - this.#quarantined.length
      const place = await withFile(found.path, (handle) =>
        scanRows(handle, opened.opened.layout, at, { until: at.size, maxRows, takeTail: at.tail }, sink),
      )
      const stopped = place.offset === at.offset
      Object.assign(at, { offset: place.offset, line: place.line, row: place.row })
      opened.offset = place.offset
      this.#noteAbsent(at.name, opened)
      const ended = at.offset >= at.size || (stopped && !at.tail)
      if (at.good === 0 && first.refused !== null && (ended || at.row >= blockAfterRows)) {
        failed = `has no row that can be read; the first, line ${first.refused.line}: ${first.refused.reason}`
      } else if (ended) return await this.#finish(at, found)
      else return this.#records.length + this.#quarantined.length < this.#budget.pageSize
    } catch (error) {
      if (error instanceof FileCut) return this.#restart(at)
      if (!(error instanceof UnreadableFile)) throw error
      failed = error.message
      for (const column of error.missing) this.#drift.set(column, { path: column, what: 'missing' })
    }
    // The page that finds the fault is committed, so that the drift is kept; the next one says it and moves nothing.
    this.#cursor.blocked = `${this.where} ${failed}. Nothing after it was read; the other streams go on.`
    return false
  }

  /** A column that none of many NDJSON rows has was renamed or removed: it is not simply empty. */
  #noteAbsent(name: string, { opened, mapper, columns, rows }: Session): void {
    if (opened.layout.format !== 'ndjson' || rows < absentAfterRows) return
    for (const column of mapper.columns) if (!columns.has(column)) this.#noteDrift(name, { path: column, what: 'missing' })
  }

  /** The whole file was read; was it the same file all along? */
  async #finish(at: Position, found: FoundFile): Promise<boolean> {
    if (found.stamp !== at.stamp) {
      const now = await hashFile(found.path, at.size, null, this.#budget.signal)
      if (now.whole !== at.hash) return this.#restart(at)
    }
    this.#cursor.known[at.name] = [at.stamp, at.hash, at.size, at.mtimeMs, at.offset, at.line, at.row, 1]
    this.#cursor.at = null
    this.#sessions.delete(this.#key)
    return true
  }

  /** Replaced or cut while it was read: it is begun again. Rows already read stay what they are: the same content has the same id. */
  #restart(at: Position): boolean {
    const pass = this.#cursor.pass!
    pass.restarts += 1
    if (pass.restarts > mostRestarts) {
      this.#sessions.delete(this.#key)
      throw new ToolError(
        'bad_response',
        `File ${at.name} of connection "${this.#source.connection}" keeps changing while it is read. Write the export to another name and rename it when it is done, or set watch: true for a file that grows.`,
      )
    }
    delete this.#cursor.known[at.name]
    this.#cursor.at = null
    this.#listed = null
    this.#sessions.delete(this.#key)
    return true
  }

  async #session(at: Position, path: string): Promise<Session> {
    const kept = this.#sessions.get(this.#key)
    if (kept !== undefined && kept.name === at.name && kept.stamp === at.stamp && kept.offset === at.offset && at.offset > 0) return kept
    const entry = await this.#entryOf(at.name)
    const mapper = makeRowMapper(entry)
    const session = await withFile(path, async (handle): Promise<Session> => {
      const opened = await readLayout(handle, at.size, entry, mapper)
      const seen = mapper.hasId ? null : new Occurrences()
      if (seen !== null && at.offset > opened.start.offset) {
        // Rows before the cursor are counted again, nothing else.
        const counter: RowSink = { row: ({ text }) => seen.next(contentHash(text)), broken: () => {} }
        await scanRows(handle, opened.layout, opened.start, { until: at.offset, maxRows: Number.MAX_SAFE_INTEGER, takeTail: true }, counter)
      }
      return { name: at.name, stamp: at.stamp, opened, mapper, seen, columns: new Set(), rows: 0, offset: at.offset }
    })
    this.#sessions.set(this.#key, session)
    return session
  }

  async #entryOf(name: string): Promise<FileSpec> {
    const listed = (await this.#list()).get(name)
    if (listed !== undefined) return listed.entry
    throw new ToolError(
      'not_found',
      `File ${name} of connection "${this.#source.connection}" is gone. Put it back, or correct the path in connections.yaml.`,
    )
  }

  #sink(at: Position, session: Session, first: { refused: { line: number; reason: string } | null }): RowSink {
    const { mapper, seen } = session
    const { picks, layout } = session.opened
    const setAside = (line: number, raw: string | Uint8Array, reason: string) => {
      first.refused ??= { line, reason }
      const where = `${at.name} line ${line}`
      this.#quarantined.push({ rawHash: rawHashOf(raw), where, reason })
      const aside = this.#asideOf(at.name)
      aside.n += 1
      aside.first ??= { where, reason }
    }
    return {
      broken: setAside,
      row: ({ cells, text, line, row, suspicious }) => {
        session.rows += 1
        const picked = layout.format === 'csv' ? picks.map((index) => cells[index]!) : readJsonRow(text, mapper.columns, session.columns)
        if ('refused' in picked) return setAside(line, text, picked.refused)
        const record = mapper.map(picked, { seq: row, suspicious }, () => {
          const content = contentHash(text)
          const before = seen!.next(content)
          return before === 0 ? content : `${content}-${before + 1}`
        })
        if ('refused' in record) {
          if (record.drift !== undefined) this.#noteDrift(at.name, { path: record.drift, what: 'type' })
          return setAside(line, text, record.refused)
        }
        at.good += 1
        const newest = this.#cursor.newest
        if (newest === null || record.updatedAt > newest) this.#cursor.newest = record.updatedAt
        this.#records.push(record)
      },
    }
  }

  /** Up to when the files tell everything: an export knows nothing of what came after it was made. */
  #completeTo(startedAt: number): number {
    const { known, newest } = this.#cursor
    const modified = Object.values(known).reduce((latest, [, , , mtimeMs]) => Math.max(latest, mtimeMs), 0)
    const limits = this.#source.entries.map((entry) => {
      if (entry.final === true && entry.as_of === undefined) return startedAt
      switch (entry.as_of) {
        case 'now':
          return startedAt
        case undefined:
        case 'modified':
          return modified
        case 'newest_row':
          return newest ?? 0
        default:
          return Date.parse(entry.as_of)
      }
    })
    return Math.min(startedAt, ...limits)
  }
}

async function endsLine(path: string, offset: number): Promise<boolean> {
  if (offset === 0) return true
  return withFile(path, async (handle) => {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, offset - 1)
    return bytesRead === 1 && buffer[0] === 10
  })
}

function contentHash(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 32)
}
