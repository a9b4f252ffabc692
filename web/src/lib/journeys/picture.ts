import type { Cluster, Ghost, JourneyDetail, JourneyEvent } from '../api-types.ts'
import { spoken } from '../catalogue.svelte.ts'
import { count, shortId } from '../format/count.ts'
import { clock, day, dayAndTime, duration } from '../format/time.ts'
import { shownZone } from '../zone.svelte.ts'
import { makeAxis } from './axis.ts'
import { layOut, leadOf, type Mark, type PlacedGhost, type SwimlaneLayout } from './layout.ts'

export interface PictureInput {
  journey: Pick<JourneyDetail, 'id' | 'programTitle' | 'stageTitle' | 'startedAt' | 'asOf'>
  lanes: readonly Pick<JourneyDetail['lanes'][number], 'connection' | 'title'>[]
  events: readonly JourneyEvent[]
  clusters: readonly Cluster[]
  ghosts: readonly Ghost[]
  now: number | null
}

/** The light theme, written out: a picture has no stylesheet. sRGB of the tokens in app.css. */
const ink = { ink: '#1b1f29', soft: '#454b59', faint: '#626877', line: '#dfe1e6', strong: '#b6bac4', sunken: '#f3f2ef', surface: '#ffffff' }
const tones = {
  accent: '#2f48c4',
  bad: ['#b3202c', '#fdf0ee'],
  warn: ['#8a5208', '#fdf3e0'],
  wait: ['#24647f', '#eef5f9'],
  plain: [ink.soft, ink.sunken],
} as const
const font = `font-family="Inter, system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"`
const column = 150
const head = 40
const titleHeight = 58
const foot = 22
const largestPng = 16_000
const fileWidth = 2_400

const ghostTones: Record<Ghost['state'], readonly [string, string]> = {
  missing: tones.bad,
  late: tones.warn,
  at_risk: tones.warn,
  pending: tones.wait,
  unknown: tones.plain,
}

export interface Picture {
  svg: string
  width: number
  height: number
}

interface Drawing {
  layout: SwimlaneLayout
  rows: Row[]
  zone: string
}

function layOutRows(input: PictureInput, foldAt: number): Drawing {
  const zone = shownZone()
  const axis = makeAxis(input.events, input.clusters, input.ghosts, input.now)
  const layout = layOut(axis, 1, {
    connections: input.lanes.map((lane) => lane.connection),
    events: input.events,
    clusters: input.clusters,
    ghosts: input.ghosts,
    now: input.now,
    dayOf: (at) => day(at, zone),
  })
  return { layout, rows: foldRows(layout, foldAt - column), zone }
}

/**
 * The swimlane as one SVG with everything inlined, in rows no wider than `foldAt` pixels. What does not fit one row goes on in the next,
 * with the tools named again.
 */
export function drawPicture(input: PictureInput, foldAt: number): Picture {
  const { layout, rows, zone } = layOutRows(input, foldAt)
  const rowHeight = head + layout.height + foot
  const width = Math.ceil(column + Math.max(...rows.map((row) => row.to - row.from), 320))
  const body = rows.map(
    (row, index) =>
      `<g transform="translate(0 ${titleHeight + index * (rowHeight + 16)})">${drawFolded(input, { layout, row, index, width, zone })}</g>`,
  )
  const { journey } = input
  const began = dayAndTime(Date.parse(journey.startedAt), zone)
  const asOf = dayAndTime(Date.parse(journey.asOf), zone)
  const title = text(16, 26, `${journey.programTitle}: ${journey.stageTitle}`, { size: 16, weight: 600 })
  const lead = text(16, 45, `Journey ${shortId(journey.id)}, began ${began}, as of ${asOf} (${zone})`, { fill: ink.faint })
  return asSvg(title + lead + body.join(''), width, titleHeight + rows.length * (rowHeight + 16))
}

/** The same as one picture for each row, for paper: none is torn apart by the end of a page. */
export function drawSheets(input: PictureInput, foldAt: number): Picture[] {
  const { layout, rows, zone } = layOutRows(input, foldAt)
  return rows.map((row, index) =>
    asSvg(drawFolded(input, { layout, row, index, width: foldAt, zone }), foldAt, head + layout.height + foot),
  )
}

function drawFolded(
  input: PictureInput,
  { layout, row, index, width, zone }: Omit<Drawing, 'rows'> & { row: Row; index: number; width: number },
): string {
  const clip = `row${index}`
  return `<clipPath id="${clip}"><rect x="0" y="0" width="${n(width - column)}" height="${head + layout.height + foot}"/></clipPath>${laneNames(input, layout, width)}<g transform="translate(${column} 0)" clip-path="url(#${clip})"><g transform="translate(${n(-row.from)} 0)">${drawRow(layout, row, input.now, zone)}</g></g>`
}

function asSvg(body: string, width: number, height: number): Picture {
  const hatch = `<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="6" stroke="#000" stroke-opacity="0.14"/></pattern>`
  return {
    svg: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ${font} font-size="11"><defs>${hatch}</defs><rect width="${width}" height="${height}" fill="${ink.surface}"/>${body}</svg>`,
    width,
    height,
  }
}

interface Row {
  from: number
  to: number
}

/** Rows of about one length, cut between marks where that is possible, so that no label is torn apart. */
function foldRows(layout: SwimlaneLayout, roomWidth: number): Row[] {
  if (layout.width <= roomWidth) return [{ from: 0, to: layout.width }]
  const edges = layout.lanes.flatMap((lane) => lane.marks.map((mark) => mark.x - 14)).sort((a, b) => a - b)
  const rows: Row[] = []
  for (let from = 0; from < layout.width; ) {
    const rest = layout.width - from
    const wanted = from + rest / Math.ceil(rest / roomWidth)
    const cut = rest <= roomWidth ? layout.width : (edges.findLast((edge) => edge <= wanted && edge > from + roomWidth * 0.5) ?? wanted)
    rows.push({ from, to: cut })
    from = cut
  }
  return rows
}

function laneNames(input: PictureInput, layout: SwimlaneLayout, width: number): string {
  const lines = layout.lanes.map((lane, index) => {
    const y = head + lane.top
    return `<line x1="0" y1="${y + lane.height}" x2="${width}" y2="${y + lane.height}" stroke="${ink.line}"/>${text(16, y + 36, cut(input.lanes[index]?.title ?? lane.connection, 128, 12), { size: 12, weight: 600 })}`
  })
  return `<line x1="0" y1="${head}" x2="${width}" y2="${head}" stroke="${ink.line}"/><line x1="${column}" y1="0" x2="${column}" y2="${head + layout.height}" stroke="${ink.line}"/>${lines.join('')}`
}

function drawRow(layout: SwimlaneLayout, row: Row, now: number | null, zone: string): string {
  // What begins in a row is drawn in it whole; only what lasts goes on in the next.
  const begins = (x: number) => x >= row.from - 14 && x < row.to - 14
  const lasts = (from: number, to: number) => to >= row.from && from < row.to
  const bottom = head + layout.height
  const idles = layout.idles
    .filter((idle) => begins(idle.x))
    .map(
      (idle) =>
        `<rect x="${n(idle.x)}" y="${head}" width="${n(idle.width)}" height="${layout.height + foot}" fill="${ink.sunken}"/>${text(idle.x + idle.width / 2, bottom + 14, duration(idle.ms), { fill: ink.faint, anchor: 'middle' })}`,
    )
  const ticks = layout.ticks
    .filter((tick) => begins(tick.x))
    .map(
      (tick, index) =>
        `${tick.hasDay || index === 0 ? text(tick.x - 8, 17, day(tick.at, zone), { weight: 600, fill: ink.soft }) : ''}${text(tick.x - 8, 32, clock(tick.at, zone), { fill: ink.faint })}`,
    )
  const nowMark =
    layout.nowX === null || now === null || !begins(layout.nowX)
      ? ''
      : `<line x1="${n(layout.nowX)}" y1="${head - 6}" x2="${n(layout.nowX)}" y2="${bottom}" stroke="${tones.accent}"/>${text(layout.nowX, 32, 'now', { fill: tones.accent, weight: 600, anchor: 'middle' })}`
  const lanes = layout.lanes.map((lane) => {
    const middle = head + lane.top + 32
    const line = `<line x1="${n(row.from)}" y1="${middle}" x2="${n(row.from + 100_000)}" y2="${middle}" stroke="${ink.line}"/>`
    const ghosts = [...lane.lates, ...lane.ghosts].filter((ghost) => lasts(ghost.x, ghost.x + ghost.width + ghost.trail))
    const marks = lane.marks.filter((mark) => begins(mark.x) || (mark.end > mark.x + 44 && lasts(mark.x, mark.end)))
    return line + ghosts.map((ghost) => drawGhost(ghost, middle, now)).join('') + marks.map((mark) => drawMark(mark, middle)).join('')
  })
  return idles.join('') + nowMark + ticks.join('') + lanes.join('')
}

function drawGhost({ it, x, width, row, trail }: PlacedGhost, middle: number, now: number | null): string {
  const [stroke, fill] = ghostTones[it.state]
  const y = middle - 20 + row * 40
  const due = it.dueAt ? Date.parse(it.dueAt) : null
  const says =
    it.state === 'missing' && due !== null && now !== null
      ? `missing for ${duration(now - due)}`
      : it.state === 'late' && due !== null && it.cameAt
        ? `${duration(Date.parse(it.cameAt) - due)} late`
        : due !== null && now !== null && due > now
          ? `due in ${duration(due - now)}`
          : { missing: 'missing', late: 'late', pending: 'expected', at_risk: 'at risk', unknown: 'not read yet' }[it.state]
  if (it.state === 'late')
    return `<rect x="${n(x)}" y="${middle - 6}" width="${n(width)}" height="12" fill="${fill}"/><line x1="${n(x)}" y1="${middle - 12}" x2="${n(x)}" y2="${middle + 12}" stroke="${stroke}" stroke-width="2"/>`
  const trailing =
    trail > 0
      ? `<line x1="${n(x + width)}" y1="${y + 20}" x2="${n(x + width + trail)}" y2="${y + 20}" stroke="${stroke}" stroke-width="2" stroke-dasharray="2 4"/>`
      : ''
  return `${trailing}<rect x="${n(x)}" y="${y}" width="${n(width)}" height="40" rx="6" fill="${fill}" stroke="${stroke}" stroke-dasharray="4 3"/><rect x="${n(x)}" y="${y}" width="${n(width)}" height="40" rx="6" fill="url(#hatch)"/><rect x="${n(x + width - 4)}" y="${y}" width="4" height="40" fill="${stroke}"/>${text(x + 7, y + 17, cut(it.title, width - 16), { fill: stroke, weight: 600 })}${text(x + 7, y + 32, cut(says, width - 16), { fill: stroke })}`
}

function drawMark(mark: Mark, y: number): string {
  const lead = leadOf(mark)
  const isBad = mark.events.some((event) => event.findings.length > 0) || mark.clusters.some((cluster) => cluster.evidence > 0)
  const title = lead?.title ?? mark.clusters[0]?.title ?? ''
  if (mark.count > 1) {
    const colour = isBad ? tones.bad[0] : tones.accent
    const label = count(mark.count)
    const width = 14 + label.length * 7
    const band =
      mark.end - mark.x > width
        ? `<rect x="${n(mark.x)}" y="${y - 3}" width="${n(mark.end - mark.x)}" height="6" rx="3" fill="${ink.strong}"/>`
        : ''
    return `${band}<rect x="${n(mark.x - 9)}" y="${y - 11}" width="${width}" height="22" rx="11" fill="${ink.surface}" stroke="${colour}" stroke-width="1.5"/>${text(mark.x - 9 + width / 2, y + 4, label, { fill: colour, weight: 600, anchor: 'middle' })}`
  }
  const shape = lead?.undone
    ? `<circle cx="${n(mark.x)}" cy="${y}" r="7.5" fill="${ink.surface}" stroke="${ink.faint}" stroke-width="2"/><line x1="${n(mark.x - 5)}" y1="${y - 5}" x2="${n(mark.x + 5)}" y2="${y + 5}" stroke="${ink.faint}" stroke-width="2"/>`
    : isBad
      ? `<rect x="${n(mark.x - 6)}" y="${y - 6}" width="12" height="12" rx="2" transform="rotate(45 ${n(mark.x)} ${y})" fill="${tones.bad[0]}"/>`
      : lead?.step
        ? `<circle cx="${n(mark.x)}" cy="${y}" r="8.5" fill="${ink.surface}" stroke="${tones.accent}"/><circle cx="${n(mark.x)}" cy="${y}" r="5" fill="${tones.accent}"/>`
        : `<circle cx="${n(mark.x)}" cy="${y}" r="5" fill="${ink.faint}"/>`
  if (mark.room < 34) return shape
  const second = lead?.actor.kind === 'automation' ? (lead.actor.id ?? 'automation') : spoken(lead?.status ?? '')
  const halo = { halo: true }
  return `${shape}${text(mark.x + 14, y - 3, cut(title, mark.room - 14), { weight: lead?.step ? 600 : 400, fill: lead?.step ? ink.ink : ink.soft, ...halo })}${text(mark.x + 14, y + 11, cut(second, mark.room - 14), { fill: ink.faint, ...halo })}`
}

const n = (value: number): string => value.toFixed(1)
const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (value: string): string => value.replaceAll(/[&<>"]/g, (sign) => escapes[sign] ?? sign)

/** As much of a label as has room, by the width that letters have on average. */
function cut(label: string, width: number, size = 11): string {
  const letters = Math.floor(width / (size * 0.56))
  return label.length <= letters ? label : letters < 2 ? '' : `${label.slice(0, letters - 1)}…`
}

function text(
  x: number,
  y: number,
  value: string,
  { fill = ink.ink as string, size = 11, weight = 400, anchor = 'start', halo = false } = {},
): string {
  if (value === '') return ''
  return `<text x="${n(x)}" y="${n(y)}" fill="${fill}"${size === 11 ? '' : ` font-size="${size}"`}${weight === 400 ? '' : ` font-weight="${weight}"`}${anchor === 'start' ? '' : ` text-anchor="${anchor}"`}${halo ? ` paint-order="stroke" stroke="${ink.surface}" stroke-width="3"` : ''}>${escaped(value)}</text>`
}

/** For `src` of an image: a data address, which the page's policy allows where it refuses blobs. */
export const pictureAddress = (svg: string): string => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`

/** Hands the picture to the browser as a file. Long journeys are folded: no image is wider than browsers can draw. */
export async function save(input: PictureInput, format: 'svg' | 'png'): Promise<void> {
  const picture = drawPicture(input, fileWidth)
  const file = format === 'svg' ? new Blob([picture.svg], { type: 'image/svg+xml' }) : await toPng(picture)
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = `journey-${shortId(input.journey.id)}.${format}`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

async function toPng({ svg, width, height }: { svg: string; width: number; height: number }): Promise<Blob> {
  const image = new Image(width, height)
  image.src = pictureAddress(svg)
  await image.decode()
  const scale = Math.min(2, largestPng / width, largestPng / height)
  const canvas = document.createElement('canvas')
  canvas.width = Math.round(width * scale)
  canvas.height = Math.round(height * scale)
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height)
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture is too large for this browser.'))), 'image/png'),
  )
}
