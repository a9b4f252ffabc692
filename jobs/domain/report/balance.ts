/** Where a finding counts. Null: without a program (a finding about our own sight), without a site. */
export interface Place {
  readonly program: string | null
  readonly owner: string
  readonly site: string | null
  readonly kind: string
}

export const dimensions = ['program', 'owner', 'site', 'kind'] as const
export type Dimension = (typeof dimensions)[number]

export const entries = ['opened', 'regressed', 'reopened', 'waiver_expired'] as const
export const endings = ['verified', 'waived', 'false_alarm', 'void', 'withdrawn'] as const
export type Entry = (typeof entries)[number]
export type Ending = (typeof endings)[number]

/** Transitions of one day that are alike, counted (`db/records/transitions.ts` says what each field means). */
export interface Flow {
  readonly wasOpen: boolean
  readonly entered: Entry | null
  readonly ended: Ending | null
  readonly to: Place
  readonly from: Place | null
  /** The earlier day that what was recorded is about; null: this day, or no day. */
  readonly about: string | null
  readonly count: number
}

export interface Cell extends Place, Readonly<Record<Entry | Ending, number>> {
  readonly opening: number
  readonly closing: number
}

/** What one day did to the open findings, exact to the place. A change of place is no entry and no ending: it stands in `moves`. */
export interface Balance {
  readonly cells: readonly Cell[]
  readonly moves: readonly { readonly from: Place; readonly to: Place; readonly count: number }[]
}

/** opening + opened + regressed + reopened + waiver_expired + transferred in − endings − transferred out = closing (semantics.md 23). */
export interface Line extends Readonly<Record<Entry | Ending, number>> {
  readonly opening: number
  readonly transferredIn: number
  readonly transferredOut: number
  readonly ended: number
  readonly closing: number
}

export type Standing = Place & { readonly count: number }

/** Pure: the same standing and flows, in any order and split in any way, give the same balance. */
export function balanceOf(opening: readonly Standing[], flows: readonly Flow[]): Balance {
  const cells = new Map<string, Mutable<Cell>>()
  const moves = new Map<string, { from: Place; to: Place; count: number }>()
  const cellOf = (place: Place): Mutable<Cell> => {
    const key = keyOf(place)
    const known = cells.get(key)
    if (known !== undefined) return known
    const made = { ...placeOf(place), opening: 0, ...none, closing: 0 }
    cells.set(key, made)
    return made
  }
  for (const { count, ...place } of opening) {
    const cell = cellOf(place)
    cell.opening += count
    cell.closing += count
  }
  for (const { wasOpen, entered, ended, from, to, count } of flows) {
    if (wasOpen && from !== null && keyOf(from) !== keyOf(to)) {
      const key = `${keyOf(from)}\n${keyOf(to)}`
      const move = moves.get(key) ?? { from: placeOf(from), to: placeOf(to), count: 0 }
      moves.set(key, { ...move, count: move.count + count })
      cellOf(from).closing -= count
      cellOf(to).closing += count
    }
    const cell = cellOf(to)
    if (entered !== null) {
      cell[entered] += count
      cell.closing += count
    }
    if (ended !== null && (wasOpen || entered !== null)) {
      cell[ended] += count
      cell.closing -= count
    }
  }
  const inOrder = <T>(map: ReadonlyMap<string, T>): T[] => [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value)
  return { cells: inOrder(cells).filter(hasSomething), moves: inOrder(moves) }
}

/** What is open when the day ends: the opening of the next one. */
export function standingOf({ cells }: Balance): readonly Standing[] {
  return cells.filter(({ closing }) => closing !== 0).map((cell) => ({ ...placeOf(cell), count: cell.closing }))
}

/** One line per value of a grouping. A move within one group is none; `null` leaves a place out. Largest closing first. */
export function linesBy<K extends string>(
  { cells, moves }: Balance,
  groupOf: (place: Place) => K | null,
): readonly { readonly key: K; readonly line: Line }[] {
  const lines = new Map<K, Mutable<Line>>()
  const lineOf = (key: K): Mutable<Line> => {
    const line = lines.get(key) ?? { opening: 0, ...none, transferredIn: 0, transferredOut: 0, ended: 0, closing: 0 }
    lines.set(key, line)
    return line
  }
  for (const cell of cells) {
    const key = groupOf(cell)
    if (key === null) continue
    const line = lineOf(key)
    line.opening += cell.opening
    line.closing += cell.closing
    for (const entry of entries) line[entry] += cell[entry]
    for (const ending of endings) {
      line[ending] += cell[ending]
      line.ended += cell[ending]
    }
  }
  for (const { from, to, count } of moves) {
    const [left, entered] = [groupOf(from), groupOf(to)]
    if (left === entered) continue
    if (left !== null) lineOf(left).transferredOut += count
    if (entered !== null) lineOf(entered).transferredIn += count
  }
  return [...lines]
    .map(([key, line]) => ({ key, line }))
    .sort((a, b) => b.line.closing - a.line.closing || b.line.opening - a.line.opening || (a.key < b.key ? -1 : 1))
}

/** The whole workspace: nothing is transferred into or out of it. */
export function totalOf(balance: Balance): Line {
  return linesBy(balance, () => '')[0]?.line ?? { opening: 0, ...none, transferredIn: 0, transferredOut: 0, ended: 0, closing: 0 }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const none = { opened: 0, regressed: 0, reopened: 0, waiver_expired: 0, verified: 0, waived: 0, false_alarm: 0, void: 0, withdrawn: 0 }

function hasSomething(cell: Cell): boolean {
  return cell.opening !== 0 || cell.closing !== 0 || [...entries, ...endings].some((word) => cell[word] !== 0)
}

function keyOf({ program, owner, site, kind }: Place): string {
  return JSON.stringify([program, owner, site, kind])
}

function placeOf({ program, owner, site, kind }: Place): Place {
  return { program, owner, site, kind }
}
