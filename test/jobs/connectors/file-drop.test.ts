import { createHash } from 'node:crypto'
import { appendFile, mkdtemp, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { mkdir } from 'node:fs/promises'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import type { Connector, PollPage, ReadRecord } from '../../../jobs/connectors/connector.ts'
import { fileDropConfigSchema } from '../../../jobs/connectors/file-drop/config.ts'
import { makeFileDrop } from '../../../jobs/connectors/file-drop/index.ts'

type Config = ReturnType<typeof fileDropConfigSchema.parse>

const folders: string[] = []
let folder: string
let now: number
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file drop '))
  folders.push(folder)
  now = Date.UTC(2030, 0, 1)
})
afterAll(async () => {
  for (const one of folders) await rm(one, { recursive: true })
})

const write = async (name: string, content: string | Uint8Array) => {
  await mkdir(dirname(join(folder, name)), { recursive: true })
  await writeFile(join(folder, name), content)
}
const configure = (...files: Record<string, unknown>[]): Config =>
  fileDropConfigSchema.parse({ files: files.map((file) => ({ stream: 's', ...file })), directory: folder })
const simple = { path: 'a.csv', id: 'id', time: 't', event: 'seen' }

interface Read {
  readonly records: ReadRecord[]
  readonly quarantined: { readonly where: string; readonly reason: string; readonly rawHash: string }[]
  readonly drift: unknown[]
  readonly pages: PollPage[]
  readonly cursor: unknown
  readonly coverage: PollPage['coverage']
}

/** Reads to the end of one pass, through JSON as the database would keep the cursor. */
async function readAll(
  config: Config,
  options: {
    cursor?: unknown
    pageSize?: number
    connector?: Connector<Config>
    between?: (page: PollPage) => Promise<void>
    stream?: string
  } = {},
): Promise<Read> {
  let connector = options.connector ?? makeFileDrop()
  const records: ReadRecord[] = []
  const quarantined: PollPage['quarantined'][number][] = []
  const drift: unknown[] = []
  const pages: PollPage[] = []
  let cursor: unknown = options.cursor ?? null
  for (;;) {
    const context = { connection: 'desk', config, http: undefined as never, now, signal: new AbortController().signal }
    const page = await connector.poll(context, options.stream ?? 's', JSON.parse(JSON.stringify(cursor)), {
      pageSize: options.pageSize ?? 1000,
      mode: 'incremental',
    })
    pages.push(page)
    records.push(...page.records)
    quarantined.push(...page.quarantined)
    drift.push(...page.drift)
    cursor = page.cursor
    if (page.coverage.complete) return { records, quarantined, drift, pages, cursor, coverage: page.coverage }
    await options.between?.(page)
    if (options.connector === undefined && pages.length % 2 === 0) connector = makeFileDrop()
  }
}

const ids = (read: Read) => read.records.map((record) => record.externalId)

describe('CSV', () => {
  it('maps rows to records and drops every column the mapping does not name', async () => {
    await write('a.csv', 'id,mail,note,amount,case,t,status,bot\n1,ann@example.org,secret,19.90,c1,2024-01-02T10:00:00Z,paid,wf-12\n')
    const config = configure({
      ...simple,
      status: 'status',
      fields: { amount: 'number', price: { column: 'amount', type: 'text' } },
      objects: { case: 'case' },
      actor: { automation: 'bot' },
      subject: { email: 'mail' },
    })
    const { records } = await readAll(config)
    expect(records[0]).toMatchObject({
      externalId: '1',
      updatedAt: Date.UTC(2024, 0, 2, 10),
      status: 'paid',
      ops: { amount: 19.9, price: '19.90' },
      objects: [{ type: 'case', id: 'c1' }],
      events: [{ type: 'seen', occurredAt: Date.UTC(2024, 0, 2, 10), status: 'paid', actor: { kind: 'automation', id: 'wf-12' }, seq: 1 }],
    })
    expect(String(records[0]!.person)).toBe('[sealed]')
    expect(() => JSON.stringify(records[0])).toThrow('Hash it')
  })

  it.each([
    ['quotes, commas and line ends inside cells', 'id,n,t\r\n1,"a, ""b""\r\nc",T\r\n2,plain,T\r\n', ['a, "b"\r\nc', 'plain']],
    ['a BOM and semicolons', '\uFEFFid;n;t\n1;a,b;T\n', ['a,b']],
    ['tabs', 'id\tn\tt\n1\ta\tT\n', ['a']],
    ['no line end at the end', 'id,n,t\n1,a,T', ['a']],
    ['blank lines', 'id,n,t\n\n1,a,T\n\r\n2,b,T\n\n', ['a', 'b']],
    ['quotes inside an unquoted cell', 'id,n,t\n1,5" pipe,T\n', ['5" pipe']],
    ['characters outside ASCII', 'id,n,t\n1,è 漢字 🙂,T\n2,ñ,T\n', ['è 漢字 🙂', 'ñ']],
    ['a quoted header', '"id","n","t"\n1,a,T\n', ['a']],
  ])('reads %s', async (_, text, expected) => {
    await write('a.csv', text.replaceAll('T', '2024-01-02T10:00:00Z').replaceAll('t\r', 't\r'))
    const read = await readAll(configure({ ...simple, fields: { n: 'text' } }))
    expect(read.records.map((record) => record.ops.n)).toEqual(expected)
    expect(read.quarantined).toEqual([])
  })

  it('reads windows-1252 where the mapping says so', async () => {
    await write('a.csv', Buffer.from('id,n,t\n1,caf\xe9 \x80,2024-01-02T10:00:00Z\n2,x,2024-01-02T10:00:00Z\n', 'latin1'))
    const read = await readAll(configure({ ...simple, encoding: 'windows-1252', fields: { n: 'text' } }), { pageSize: 1 })
    expect(read.records.map((record) => record.ops.n)).toEqual(['café €', 'x'])
  })

  it('sets a broken row aside with its line and raw hash, and reads all others', async () => {
    const broken = '3,"never closed,2024-01-02T10:00:00Z'
    const rows = [
      'id,n,t',
      '1,a,T',
      '2,b',
      broken,
      '4,"x"y,T',
      '5,"a ""b"" c",T',
      '6,z,T,extra',
      ',e,T',
      '8,h,not a time',
      '9,"i',
      'i",T',
      '10,j,T',
    ]
    await write('a.csv', rows.join('\n').replaceAll(/(?<=,)T/g, '2024-01-02T10:00:00Z'))
    const read = await readAll(configure({ ...simple, fields: { n: 'text' } }))
    expect(ids(read)).toEqual(['1', '5', '9', '10'])
    expect(read.quarantined.map(({ where, reason }) => `${where}: ${reason}`)).toEqual([
      'a.csv line 3: the row has 2 columns, the header 3',
      'a.csv line 4: text follows a closing quote (a quote inside a cell is written twice: "")',
      'a.csv line 5: text follows a closing quote (a quote inside a cell is written twice: "")',
      'a.csv line 7: the row has 4 columns, the header 3',
      'a.csv line 8: column id is empty; expected the id of the record',
      'a.csv line 9: column t holds "xxx x xxxx", which is no ISO time; expected one such as 2024-01-02T10:00:00Z, or set the format of this column, such as "dd/MM/yyyy HH:mm"',
    ])
    expect(read.quarantined[1]!.rawHash).toBe(createHash('sha256').update(broken).digest('hex'))
    expect(JSON.stringify(read.quarantined)).not.toContain('never closed')
  })

  it('loses no row behind a quote that is never closed, wherever pages end', async () => {
    const rows = Array.from({ length: 200 }, (_, index) =>
      index === 50 ? '50,"open,2024-01-02T10:00:00Z' : `${index},x,2024-01-02T10:00:00Z`,
    )
    await write('a.csv', `id,n,t\n${rows.join('\n')}\n`)
    for (const pageSize of [7, 1000]) {
      const read = await readAll(configure({ ...simple, fields: { n: 'text' } }), { pageSize })
      expect(read.records.length + read.quarantined.length).toBe(200)
      expect(read.quarantined.map(({ where }) => where)).toEqual(['a.csv line 52'])
    }
  })

  it('gives the same rows whatever the page size and however often it is restarted', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'b', ',', '"', '\n', '\r', 'é', '🙂', ' '), maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom('\n', '\r\n'),
        async (rows, pageSize, lineEnd) => {
          const quote = (text: string) => `"${text.replaceAll('"', '""')}"`
          await write('a.csv', ['n,m,t', ...rows.map(([n, m]) => `${quote(n)},${quote(m)},2024-01-02T10:00:00Z`)].join(lineEnd))
          const config = configure({ path: 'a.csv', time: 't', fields: { n: 'text', m: 'text' } })
          const whole = await readAll(config)
          const paged = await readAll(config, { pageSize })
          expect(whole.quarantined).toEqual([])
          expect(whole.records.map(({ ops }) => [ops.n ?? '', ops.m ?? ''])).toEqual(rows)
          expect(ids(paged)).toEqual(ids(whole))
          expect(new Set(ids(whole)).size).toBe(rows.length)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('record identity (semantics 1)', () => {
  it('a row without an id is its content and how often that content came before in its file', async () => {
    await write('a.csv', 'c,t\nx,1\ny,1\nx,1\nx,1\n')
    await write('b.csv', 'c,t\nx,1\n"y",1\nz,2\n')
    const config = configure({ path: '*.csv', time: { column: 't', format: 'epoch-s' } })
    const read = await readAll(config, { pageSize: 1 })
    const [x, y, x2, x3, xAgain, yAgain, z] = ids(read)
    expect([x2, x3]).toEqual([`${x}-2`, `${x}-3`])
    expect([xAgain, yAgain]).toEqual([x, y])
    expect(new Set([x, y, z]).size).toBe(3)
  })

  it('equal times keep the order of the file', async () => {
    await write('a.csv', 'c,t\nx,1\ny,1\nz,1\n')
    const read = await readAll(configure({ path: 'a.csv', time: { column: 't', format: 'epoch-s' } }), { pageSize: 2 })
    expect(read.records.map((record) => record.events[0]!.seq)).toEqual([1, 2, 3])
  })

  it('several columns can make the id together', async () => {
    await write('a.csv', 'a,b,t\n1,2,1\n')
    expect(ids(await readAll(configure({ path: 'a.csv', id: ['a', 'b'], time: { column: 't', format: 'epoch-s' } })))).toEqual(['1|2'])
  })

  it('rows of one id are events of one record, each with the state it showed', async () => {
    await write('a.csv', 'id,what,room,t\n1,booked,A,1\n1,moved,B,2\n')
    const read = await readAll(
      configure({ path: 'a.csv', id: 'id', event: { column: 'what' }, fields: { room: 'text' }, time: { column: 't', format: 'epoch-s' } }),
    )
    expect(read.records.map(({ externalId, events }) => [externalId, events[0]!.type, events[0]!.ops])).toEqual([
      ['1', 'booked', { room: 'A' }],
      ['1', 'moved', { room: 'B' }],
    ])
  })

  it('several time columns of a row are several events', async () => {
    await write('a.csv', 'id,ordered,shipped\n1,2024-01-01T00:00:00Z,2024-01-03T00:00:00Z\n2,2024-01-02T00:00:00Z,\n3,,\n')
    const config = configure({
      path: 'a.csv',
      id: 'id',
      events: [
        { event: 'ordered', time: 'ordered' },
        { event: 'shipped', time: 'shipped', status: 'gone' },
      ],
    })
    const read = await readAll(config)
    expect(
      read.records.map(({ externalId, updatedAt, events }) => [externalId, updatedAt, events.map(({ type, status }) => [type, status])]),
    ).toEqual([
      [
        '1',
        Date.UTC(2024, 0, 3),
        [
          ['ordered', null],
          ['shipped', 'gone'],
        ],
      ],
      ['2', Date.UTC(2024, 0, 2), [['ordered', null]]],
    ])
    expect(read.quarantined).toEqual([expect.objectContaining({ where: 'a.csv line 4', reason: 'none of its time columns holds a time' })])
  })

  it('semantics 3: a day without a time of day is an interval', async () => {
    await write('a.csv', 'id,t\n1,2024-01-02\n')
    const { records } = await readAll(configure({ ...simple, time: { column: 't', zone: 'UTC' } }))
    expect(records[0]!.events[0]).toMatchObject({ occurredAfter: Date.UTC(2024, 0, 2) - 1, occurredAt: Date.UTC(2024, 0, 3) - 1 })
  })
})

describe('P12: text that is not what it seems', () => {
  const t = '2024-01-02T10:00:00Z'
  it('sets aside lines that are not UTF-8, hold NUL or lone surrogates, and invisible characters in kept columns', async () => {
    const line = (...parts: (string | Buffer)[]) =>
      Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
    await write(
      'a.csv',
      Buffer.concat([
        line('\uFEFFid,n,mail,t\n'),
        line('1,ok è,m,', t, '\n'),
        line('2,', Buffer.from([0xe8, 0x20, 0xff]), ',m,', t, '\n'),
        line('3,', Buffer.from([0xed, 0xa0, 0x80]), ',m,', t, '\n'),
        line('4,a\0b,m,', t, '\n'),
        line('5,a\u200Bb,m,', t, '\n'),
        line('6\u202E,x,m,', t, '\n'),
        line('7,x,zero\u200Bwidth@example.org,', t, '\n'),
        line('8,last,m,', t),
      ]),
    )
    const read = await readAll(configure({ ...simple, fields: { n: 'text' }, subject: { email: 'mail' } }))
    expect(read.records.map(({ externalId, ops }) => [externalId, ops.n])).toEqual([
      ['1', 'ok è'],
      ['7', 'x'],
      ['8', 'last'],
    ])
    expect(read.quarantined.map(({ where, reason }) => `${where}: ${reason}`)).toEqual([
      'a.csv line 3: the line is not valid UTF-8; export the file as UTF-8 or set its encoding',
      'a.csv line 4: the line is not valid UTF-8; export the file as UTF-8 or set its encoding',
      'a.csv line 5: the line holds a NUL character',
      'a.csv line 6: column n holds an invisible or broken character; remove it in the tool and export again',
      'a.csv line 7: column id holds an invisible or broken character; remove it in the tool and export again',
    ])
    expect(JSON.stringify(read.records.map((record) => ({ ...record, person: null })))).not.toContain('\uFFFD')
    const [bad] = read.quarantined
    expect(bad!.rawHash).toBe(
      createHash('sha256')
        .update(line('2,', Buffer.from([0xe8, 0x20, 0xff]), ',m,', t, '\n'))
        .digest('hex'),
    )
  })

  it('does the same for escapes in NDJSON', async () => {
    await write(
      'a.ndjson',
      `{"id":"1","n":"a\\u0000b","t":"${t}"}\n{"id":"2","n":"\\ud800","t":"${t}"}\n{"id":"3","n":"\\u00e8","t":"${t}"}\n`,
    )
    const read = await readAll(configure({ ...simple, path: 'a.ndjson', fields: { n: 'text' } }))
    expect(read.records.map(({ ops }) => ops.n)).toEqual(['è'])
    expect(read.quarantined).toHaveLength(2)
  })
})

describe('P13: values come back byte for byte', () => {
  const values = ['9007199254740993', '12345678901234567890123', '19.10', '1e2', '-0', '007', '1.0', 'true', 'null', '__proto__', '0.1000']
  it('from CSV', async () => {
    await write('a.csv', `id,n,t\n${values.map((value) => `${value},${value},2024-01-02T10:00:00Z`).join('\n')}\n`)
    const read = await readAll(configure({ ...simple, fields: { n: 'text' } }))
    expect(read.records.map(({ externalId, ops }) => [externalId, ops.n])).toEqual(values.map((value) => [value, value]))
  })

  it('from NDJSON, numbers included', async () => {
    const rows = ['9007199254740993', '12345678901234567890123', '19.10', '1e2', '-0', '1.0', '3', '-4.5']
    await write(
      'a.ndjson',
      `${rows.map((value) => `{"id":${value},"n":${value},"t":"2024-01-02T10:00:00Z","__proto__":{"polluted":true}}`).join('\n')}\n`,
    )
    const read = await readAll(configure({ ...simple, path: 'a.ndjson', fields: { n: 'text', polluted: 'text' } }))
    expect(read.records.map(({ externalId, ops }) => [externalId, ops.n, ops.polluted])).toEqual(rows.map((value) => [value, value, null]))
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('refuses a number that would lose digits instead of changing it', async () => {
    await write('a.csv', 'id,n,t\n1,9007199254740993,2024-01-02T10:00:00Z\n2,12.50,2024-01-02T10:00:00Z\n3,1e2,2024-01-02T10:00:00Z\n')
    const read = await readAll(configure({ ...simple, fields: { n: 'number' } }))
    expect(read.records.map(({ ops }) => ops.n)).toEqual([12.5])
    expect(read.quarantined.map(({ reason }) => reason)).toEqual([
      'column n has more digits than a number keeps exactly; map it as text',
      'column n is no plain number (such as 12 or 19.90); map it as text',
    ])
  })
})

describe('P14: a file that changed its shape', () => {
  it('names the missing column as drift, then stops this stream with what to do, and reads it again once it is mended', async () => {
    await write('a.csv', 'ID,t\n1,2024-01-02T10:00:00Z\n')
    const config = configure(simple)
    const pages: PollPage[] = []
    const failed = readAll(config, { between: async (page) => void pages.push(page) })
    await expect(failed).rejects.toMatchObject({
      reason: 'bad_response',
      message:
        'File a.csv of stream "s" of connection "desk" lacks the column "id" that the mapping names. It has "ID". Correct the mapping in connections.yaml, or the export. Nothing after it was read; the other streams go on.',
    })
    expect(pages[0]!.drift).toEqual([{ path: 'id', what: 'missing' }])
    await expect(readAll(config, { cursor: pages[0]!.cursor })).rejects.toMatchObject({ reason: 'bad_response' })
    await write('a.csv', 'id,t\n1,2024-01-02T10:00:00Z\n')
    expect(ids(await readAll(config, { cursor: pages[0]!.cursor }))).toEqual(['1'])
  })

  it('reports a column whose type changed and keeps the rows that still fit', async () => {
    await write('a.csv', 'id,n,t\n1,5,2024-01-02T10:00:00Z\n2,five,2024-01-02T10:00:00Z\n')
    const read = await readAll(configure({ ...simple, fields: { n: 'number' } }))
    expect(read.drift).toEqual([{ path: 'n', what: 'type' }])
    expect(ids(read)).toEqual(['1'])
  })

  it('names a column that no NDJSON row has any more; one that is only empty is none', async () => {
    const row = (id: number) => JSON.stringify({ id, t: '2024-01-02T10:00:00Z', note: null })
    await write('a.ndjson', Array.from({ length: 30 }, (_, id) => `${row(id)}\n`).join(''))
    const read = await readAll(configure({ ...simple, path: 'a.ndjson', fields: { note: 'text', amount: 'number' } }), {
      pageSize: 25,
      connector: makeFileDrop(),
    })
    expect(read.drift).toEqual([
      { path: 'amount', what: 'missing' },
      { path: 'amount', what: 'missing' },
    ])
    expect(read.records).toHaveLength(30)
  })

  it('never shows names from a file that has no header', async () => {
    await write('a.csv', 'Ann,ann@example.org\nBen,ben@example.org\n')
    const error = await readAll(configure(simple)).catch((caught: unknown) => caught)
    expect(String(error)).toContain('lacks the columns "id", "t"')
    expect(String(error)).not.toMatch(/ann|ben/i)
  })
})

describe('bad files', () => {
  it.each([
    ['no file', null, 'There is no file a.csv in'],
    ['an empty file', '', 'is empty, without even a header line'],
    ['UTF-16', Buffer.from('\uFEFFid,t\n', 'utf16le'), 'is UTF-16 text; save or export it as UTF-8'],
    ['a spreadsheet', Buffer.from('PK\x03\x04'), 'is a spreadsheet or a zip file; export it as CSV'],
    ['HTML', '<!doctype html><title>Log in</title>\n', 'looks like HTML or XML; expected CSV with a header line'],
    ['a column twice', 'id,t,id\n1,2,3\n', 'has the column "id" twice in its header; rename one of them'],
  ])('%s says what happened and what to do', async (_, content, message) => {
    if (content !== null) await write('a.csv', content)
    await expect(readAll(configure(simple))).rejects.toThrow(message)
  })

  it('a file whose times have no zone is refused as a whole, with the line and the cure', async () => {
    await write('a.csv', `id,t\n${Array.from({ length: 50 }, (_, index) => `${index},2024-01-02 10:00`).join('\n')}\n`)
    await expect(readAll(configure(simple))).rejects.toThrow(
      'File a.csv of stream "s" of connection "desk" has no row that can be read; the first, line 2: the time "2024-01-02 10:00" in column t has no zone; add zone: Europe/Rome',
    )
    expect((await readAll(configure({ ...simple, zone: 'Europe/Rome' }))).records[0]!.updatedAt).toBe(Date.UTC(2024, 0, 2, 9))
  })

  it('a JSON list is not NDJSON', async () => {
    await write('a.json', '[{"id":1}]')
    await expect(readAll(configure({ ...simple, path: 'a.json', format: 'ndjson' }))).rejects.toThrow(
      'is one JSON list; expected NDJSON: one object per line',
    )
  })

  it('check tells each stream apart and never throws', async () => {
    await write('a.csv', 'id,t\n1,2024-01-02T10:00:00Z\n2,x\n')
    const config = fileDropConfigSchema.parse({
      files: [
        { ...simple, stream: 'good' },
        { ...simple, stream: 'gone', path: 'b.csv' },
      ],
      directory: folder,
    })
    const result = await makeFileDrop().check({
      connection: 'desk',
      config,
      http: undefined as never,
      now,
      signal: new AbortController().signal,
    })
    expect(result).toMatchObject({
      ok: true,
      streams: [
        { name: 'good', ok: true, message: expect.stringContaining('1 of the first 2 rows can be read; a.csv line 3: column t holds "x"') },
        { name: 'gone', ok: false, message: expect.stringContaining('There is no file b.csv') },
      ],
    })
  })
})

describe('files over time', () => {
  const rows = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => `${from + index},2024-01-02T10:00:00Z\n`).join('')

  it('poll twice gives 0 new', async () => {
    await write('a.csv', `id,t\n${rows(0, 5)}`)
    const config = configure(simple)
    const first = await readAll(config, { pageSize: 2 })
    expect((await readAll(config, { cursor: first.cursor })).records).toEqual([])
  })

  it('reads only what was appended, and everything again when the beginning changed', async () => {
    await write('a.csv', `id,t\n${rows(0, 5)}`)
    const config = configure(simple)
    const first = await readAll(config)
    await appendFile(join(folder, 'a.csv'), rows(5, 7))
    const second = await readAll(config, { cursor: first.cursor })
    expect(second.records.map(({ externalId, events }) => [externalId, events[0]!.seq])).toEqual([
      ['5', 6],
      ['6', 7],
    ])
    await write('a.csv', `id,t\n${rows(3, 12)}`)
    expect(ids(await readAll(config, { cursor: second.cursor }))).toHaveLength(9)
  })

  it('counts equal rows on across appends', async () => {
    await write('a.csv', 'c,t\nx,1\n')
    const config = configure({ path: 'a.csv', time: { column: 't', format: 'epoch-s' } })
    const first = await readAll(config)
    await appendFile(join(folder, 'a.csv'), 'x,1\n')
    expect(ids(await readAll(config, { cursor: first.cursor }))).toEqual([`${ids(first)[0]}-2`])
  })

  it('follows new files of a pattern, and leaves touched ones alone', async () => {
    await write('in/2024-01.csv', `id,t\n${rows(0, 2)}`)
    const config = configure({ ...simple, path: 'in/*.csv', watch: true })
    const first = await readAll(config)
    await utimes(join(folder, 'in/2024-01.csv'), 2_000_000_000, 2_000_000_000)
    await write('in/2024-02.csv', `id,t\n${rows(2, 4)}`)
    expect(ids(await readAll(config, { cursor: first.cursor }))).toEqual(['2', '3'])
  })

  it('leaves a last row without a line end for the next pass where the file is watched', async () => {
    await write('a.csv', 'id,t\n1,2024-01-02T10:00:00Z\n2,2024-01-02T10:00')
    const config = configure({ ...simple, watch: true })
    const first = await readAll(config)
    expect(ids(first)).toEqual(['1'])
    await appendFile(join(folder, 'a.csv'), ':00Z\n')
    const second = await readAll(config, { cursor: first.cursor })
    expect(ids(second)).toEqual(['2'])
    await appendFile(join(folder, 'a.csv'), '3,2024-01-02T10:00:00Z')
    const third = await readAll(config, { cursor: second.cursor })
    expect(ids(third)).toEqual([])
    expect(ids(await readAll(config, { cursor: third.cursor }))).toEqual(['3'])
  })

  it('begins again when the file is replaced while it is read', async () => {
    await write('a.csv', `id,t\n${rows(0, 6)}`)
    let replaced = false
    const read = await readAll(configure(simple), {
      pageSize: 2,
      between: async () => {
        if (replaced) return
        replaced = true
        await write('b.csv', `id,t\n${rows(10, 16)}`)
        await rename(join(folder, 'b.csv'), join(folder, 'a.csv'))
      },
    })
    expect(ids(read).slice(-6)).toEqual(['10', '11', '12', '13', '14', '15'])
  })

  it('says so when a file never stops changing', async () => {
    await write('a.csv', `id,t\n${rows(0, 6)}`)
    let turn = 0
    const read = readAll(configure(simple), {
      pageSize: 2,
      between: async () => {
        turn += 10
        await write('b.csv', `id,t\n${rows(turn, turn + 6)}`)
        await rename(join(folder, 'b.csv'), join(folder, 'a.csv'))
      },
    })
    await expect(read).rejects.toThrow('keeps changing while it is read. Write the export to another name and rename it when it is done')
  })

  it('survives a file that is cut while it is read', async () => {
    await write('a.csv', `id,t\n${rows(0, 6)}`)
    let cut = false
    const read = await readAll(configure(simple), {
      pageSize: 2,
      between: async () => {
        if (!cut) await truncate(join(folder, 'a.csv'), 'id,t\n'.length + rows(0, 4).length)
        cut = true
      },
    })
    expect(new Set(ids(read))).toEqual(new Set(['0', '1', '2', '3']))
  })

  it('P9: an export that lost more than half is not believed', async () => {
    await write('a.csv', `id,t\n${rows(0, 100)}`)
    const config = configure(simple)
    const { cursor } = await readAll(config)
    await write('a.csv', `id,t\n${rows(0, 3)}`)
    await expect(readAll(config, { cursor })).rejects.toThrow(/shrank from \d+ to \d+ bytes, so the export is probably incomplete/)
    expect(ids(await readAll(configure({ ...simple, may_shrink: true }), { cursor }))).toEqual(['0', '1', '2'])
  })

  it('reads everything again under another mapping', async () => {
    await write('a.csv', 'id,n,t\n1,5,2024-01-02T10:00:00Z\n')
    const first = await readAll(configure(simple))
    const second = await readAll(configure({ ...simple, fields: { n: 'text' } }), { cursor: first.cursor })
    expect(second.records.map(({ ops }) => ops)).toEqual([{ n: '5' }])
  })

  it('follows hundreds of files and refuses more than its cursor can hold', async () => {
    const fill = async (from: number, to: number) => {
      for (let index = from; index < to; index += 1) await write(`in/${index}.csv`, 'id,t\n1,2024-01-02T10:00:00Z\n')
    }
    const config = configure({ ...simple, path: 'in/*.csv' })
    await fill(0, 500)
    const { cursor, records } = await readAll(config)
    expect(records).toHaveLength(500)
    expect(JSON.stringify(cursor).length).toBeLessThan(64_000)
    await fill(500, 1000)
    await expect(readAll(config, { cursor })).rejects.toThrow('Move files that were read to another folder, or join them.')
  })
})

describe('how far the files tell (semantics 9)', () => {
  const modified = Date.UTC(2024, 5, 1)
  beforeEach(async () => {
    await write('a.csv', 'id,t\n1,2024-01-02T10:00:00Z\n')
    await utimes(join(folder, 'a.csv'), modified / 1000, modified / 1000)
  })

  it.each([
    [{}, modified],
    [{ final: true }, Date.UTC(2030, 0, 1)],
    [{ as_of: 'now' }, Date.UTC(2030, 0, 1)],
    [{ as_of: 'newest_row' }, Date.UTC(2024, 0, 2, 10)],
    [{ as_of: '2024-03-01T00:00:00+01:00' }, Date.UTC(2024, 1, 29, 23)],
  ])('%o', async (settings, to) => {
    expect((await readAll(configure({ ...simple, ...settings }))).coverage).toEqual({ from: null, to, complete: true })
  })

  it('never beyond the clock it is judged at', async () => {
    now = Date.UTC(2024, 0, 3)
    expect((await readAll(configure(simple))).coverage.to).toBe(now)
  })

  it('semantics 8: a final file makes its stream final', () => {
    const [spec] = makeFileDrop().streams!(configure({ ...simple, final: true }))
    expect(spec).toMatchObject({ name: 's', final: true, cursor: 'file' })
    expect(makeFileDrop().streams!(configure({ ...simple, final: true }, { ...simple, path: 'b.csv' }))[0]!.final).toBe(false)
  })
})

describe('rows set aside', () => {
  const good = (id: string) => `${id},2024-01-02T10:00:00Z`
  const bad = (id: string) => `${id},never`
  const file = (...rows: readonly string[]) => `id,t\n${rows.join('\n')}\n`
  const standing = (read: Read) => read.pages.at(-1)!.standing!
  const advice = (n: number) =>
    expect.stringContaining(n === 1 ? 'accept_broken_rows: 1 to its file' : `accept_broken_rows: ${n} to their file`)

  it('hold the watermark back while they stand, wherever pages end, and say the first of them and the cure', async () => {
    await write('a.csv', file(good('1'), bad('2'), good('3'), bad('4'), good('5')))
    for (const pageSize of [1, 2, 100]) {
      const read = await readAll(configure(simple), { pageSize })
      expect(read.coverage).toEqual({ from: null, to: 0, complete: true })
      expect(standing(read)).toMatchObject({ setAside: { count: 2, first: { where: 'a.csv line 3' } }, withheld: advice(2) })
      expect(read.pages.slice(0, -1).every((page) => page.standing === undefined)).toBe(true)
    }
  })

  it('still stand when nothing is read anew, and with those of what is appended', async () => {
    await write('a.csv', file(good('1'), bad('2')))
    const first = await readAll(configure(simple))
    const second = await readAll(configure(simple), { cursor: first.cursor })
    expect(second.records).toEqual([])
    expect(standing(second)).toEqual(standing(first))
    await appendFile(join(folder, 'a.csv'), `${bad('3')}\n`)
    const third = await readAll(configure(simple), { cursor: second.cursor })
    expect(third.quarantined).toHaveLength(1)
    expect(standing(third)).toMatchObject({ setAside: { count: 2, first: { where: 'a.csv line 3' } }, withheld: advice(2) })
  })

  it('of a file that was replaced or taken away no longer count', async () => {
    await write('a1.csv', file(good('1'), bad('2')))
    await write('a2.csv', file(good('3'), bad('4')))
    const config = configure({ ...simple, path: 'a*.csv' })
    const first = await readAll(config)
    expect(standing(first).setAside.count).toBe(2)
    await write('a1.csv', file(good('1'), good('2')))
    const second = await readAll(config, { cursor: first.cursor })
    expect(standing(second)).toMatchObject({ setAside: { count: 1, first: { where: 'a2.csv line 3' } }, withheld: advice(1) })
    await rm(join(folder, 'a2.csv'))
    const third = await readAll(config, { cursor: second.cursor })
    expect(standing(third)).toEqual({ setAside: { count: 0, first: null }, withheld: null, drift: [] })
    expect(third.coverage.to).toBeGreaterThan(0)
  })

  it('accept_broken_rows counts per file of the mapping; changing it reads nothing again', async () => {
    await write('a.csv', file(good('1'), bad('2')))
    await write('b.csv', file(good('3'), bad('4')))
    const mapped = (...accepted: readonly number[]) =>
      configure(
        ...['a.csv', 'b.csv'].map((path, index) => ({
          ...simple,
          path,
          ...(accepted[index] ? { accept_broken_rows: accepted[index] } : {}),
        })),
      )
    const none = await readAll(mapped())
    expect(standing(none).withheld).toMatch(/a\.csv line 3/)
    const one = await readAll(mapped(1), { cursor: none.cursor })
    expect(one.records).toEqual([])
    expect(standing(one).withheld).toMatch(/b\.csv line 3/)
    const both = await readAll(mapped(1, 1), { cursor: one.cursor })
    expect(standing(both)).toMatchObject({ setAside: { count: 2 }, withheld: null })
    expect(both.coverage.to).toBeGreaterThan(0)
    expect(standing(await readAll(mapped(1, 0), { cursor: both.cursor })).withheld).toMatch(/b\.csv line 3/)
  })
})
