import type { Acts } from '../acts.ts'
import { canary } from '../canary.ts'
import { iso } from '../times.ts'
import type { ToolDefinition, ToolRequest, ToolResponse } from '../tool-server.ts'
import { rateWindow } from '../tool-server.ts'
import type { Stored, World } from '../world.ts'
import type { Resource } from '../writes.ts'
import { absenceOf, cancellationOf, moveOf } from './acts.ts'

export interface CalcomOptions {
  readonly world: World
  readonly acts: Acts
  readonly apiKey: string
  readonly requestsPerMinute: number
  readonly wall: () => number
}

export const calcomVersion = '2024-08-13'
const sorts: Readonly<Record<string, string>> = { sortUpdatedAt: 'updatedAt', sortCreated: 'createdAt', sortStart: 'start', sortEnd: 'end' }
const bounds: Readonly<Record<string, (booking: Stored['body'], at: number) => boolean>> = {
  afterUpdatedAt: (booking, at) => time(booking.updatedAt) > at,
  beforeUpdatedAt: (booking, at) => time(booking.updatedAt) < at,
  afterCreatedAt: (booking, at) => time(booking.createdAt) > at,
  beforeCreatedAt: (booking, at) => time(booking.createdAt) < at,
  afterStart: (booking, at) => time(booking.start) > at,
  beforeEnd: (booking, at) => time(booking.end) < at,
}
const known = new Set(['take', 'skip', 'bookingUid', 'attendeeEmail', ...Object.keys(sorts), ...Object.keys(bounds)])
const maxTake = 250
const time = (value: unknown) => Date.parse(String(value))

/** Cal.com's bookings, version 2024-08-13: lists sorted by a time, paged by take and skip, with rate headers; cancelled, moved, marked. */
export function calcom({ world, acts, apiKey, requestsPerMinute, wall }: CalcomOptions): ToolDefinition {
  const limit = rateWindow(requestsPerMinute, 60_000, wall)
  let last = limit.take()
  const fail = (status: number, code: string, message: string): ToolResponse => ({ status, body: errorBody(code, message) })
  const list = (query: URLSearchParams): ToolResponse => {
    for (const key of query.keys()) if (!known.has(key)) return fail(400, 'BadRequestException', `property ${key} should not exist`)
    const take = Number(query.get('take') ?? 100)
    const skip = Number(query.get('skip') ?? 0)
    if (!Number.isInteger(take) || take < 1 || take > maxTake || !Number.isInteger(skip) || skip < 0)
      return fail(400, 'BadRequestException', `take must be between 1 and ${maxTake}; skip must not be negative`)
    let items = [...world.all('calcom.bookings').values()].map(({ body }) => body)
    for (const [name, keeps] of Object.entries(bounds)) {
      const bound = query.get(name)
      if (bound === null) continue
      const at = Date.parse(bound)
      if (Number.isNaN(at)) return fail(400, 'BadRequestException', `${name} must be a valid ISO 8601 date string`)
      items = items.filter((booking) => keeps(booking, at))
    }
    const uid = query.get('bookingUid')
    if (uid !== null) items = items.filter((booking) => booking.uid === uid)
    const email = query.get('attendeeEmail')
    if (email !== null) items = items.filter((booking) => JSON.stringify(booking.attendees).includes(JSON.stringify(email)))
    const sortKey = Object.keys(sorts).find((name) => query.has(name)) ?? 'sortStart'
    const field = sorts[sortKey] ?? 'start'
    const direction = query.get(sortKey) === 'desc' ? -1 : 1
    items.sort((a, b) => direction * (time(a[field]) - time(b[field]) || Number(a.id) - Number(b.id)))
    const data = items.slice(skip, skip + take)
    const totalPages = Math.ceil(items.length / take)
    return {
      status: 200,
      body: {
        status: 'success',
        data,
        pagination: {
          totalItems: items.length,
          remainingItems: Math.max(0, items.length - skip - data.length),
          returnedItems: data.length,
          itemsPerPage: take,
          currentPage: Math.floor(skip / take) + 1,
          totalPages,
          hasNextPage: skip + data.length < items.length,
          hasPreviousPage: skip > 0,
        },
      },
    }
  }
  const change = (request: ToolRequest, uid: string, verb: string): ToolResponse => {
    if (request.headers['cal-api-version'] !== calcomVersion)
      return fail(400, 'BadRequestException', `cal-api-version must be ${calcomVersion}`)
    const booking = world.all('calcom.bookings').get(uid)?.body
    if (booking === undefined) return fail(404, 'NotFoundException', `Booking with uid=${uid} was not found in the database`)
    const asked = bodyOf(request)
    if (asked === null) return fail(400, 'BadRequestException', 'Unexpected token in JSON')
    const refuse = (why: string) => fail(400, 'BadRequestException', `${why} ${canary('calcom.error', uid)}`)
    const isHeld = booking.status === 'accepted' || booking.status === 'pending'
    switch (verb) {
      case 'cancel':
        if (!isHeld) return refuse('This booking has already been cancelled.')
        return acts.run('calcom.cancel', request, cancellationOf(uid, booking))
      case 'reschedule': {
        const start = Date.parse(String(asked.start))
        if (Number.isNaN(start)) return refuse('start must be a valid ISO 8601 date string')
        if (!isHeld) return refuse('Cannot reschedule a booking that is cancelled or rejected.')
        if (start <= request.now) return refuse('Attempting to book a meeting in the past.')
        return acts.run('calcom.rebook', request, moveOf(world, uid, booking, start))
      }
      case 'mark-absent': {
        if (booking.status !== 'accepted' || time(booking.start) > request.now)
          return refuse('Cannot mark no-show before the meeting has started.')
        const attendees = Array.isArray(asked.attendees) ? (asked.attendees as readonly Resource[]) : []
        const emails = attendees.filter((one) => one.absent === true).map((one) => String(one.email))
        if (asked.host !== true && emails.length === 0) return refuse('Nobody was named.')
        return acts.run('calcom.mark-absent', request, absenceOf(uid, booking, { host: asked.host === true, emails }))
      }
      default:
        return fail(404, 'NotFoundException', `Cannot POST ${request.url.pathname}`)
    }
  }

  return {
    name: 'calcom',
    contentType: 'application/json; charset=utf-8',
    error: (_status, code, message) => errorBody(code, message),
    headers: () => ({
      'x-ratelimit-limit-default': String(requestsPerMinute),
      'x-ratelimit-remaining-default': String(last.remaining),
      'x-ratelimit-reset-default': String(last.resetSeconds),
    }),
    handle(request) {
      last = limit.take()
      if (!last.allowed)
        return {
          ...fail(429, 'ThrottlerException', 'Too Many Requests'),
          headers: { 'retry-after-default': String(last.resetSeconds), 'retry-after': String(last.resetSeconds) },
        }
      if (request.headers.authorization !== `Bearer ${apiKey}`) return fail(401, 'UnauthorizedException', 'Invalid API Key')
      const [, version, name, uid, ...more] = request.url.pathname.split('/')
      if (request.method === 'POST' && version === 'v2' && name === 'bookings' && uid !== undefined && more.length === 1)
        return change(request, uid, more[0] ?? '')
      if (request.method !== 'GET' || version !== 'v2' || more.length > 0)
        return fail(404, 'NotFoundException', `Cannot ${request.method} ${request.url.pathname}`)
      if (name === 'me')
        return {
          status: 200,
          body: {
            status: 'success',
            data: {
              id: 11,
              username: 'northwind',
              email: 'desk@northwind.example',
              timeFormat: 12,
              defaultScheduleId: 1,
              weekStart: 'Sunday',
              timeZone: 'America/New_York',
            },
          },
        }
      if (name !== 'bookings') return fail(404, 'NotFoundException', `Cannot GET ${request.url.pathname}`)
      if (request.headers['cal-api-version'] !== calcomVersion)
        return fail(400, 'BadRequestException', `cal-api-version must be ${calcomVersion}`)
      if (uid === undefined) return list(request.url.searchParams)
      const found = world.all('calcom.bookings').get(uid)
      return found === undefined
        ? fail(404, 'NotFoundException', `Booking with uid=${uid} was not found in the database`)
        : { status: 200, body: { status: 'success', data: found.body } }
    },
  }

  function errorBody(code: string, message: string) {
    return { status: 'error', timestamp: iso(wall()), path: '/v2/bookings', error: { code, message, details: { message, error: code } } }
  }
}

function bodyOf({ body }: ToolRequest): Resource | null {
  try {
    const value: unknown = JSON.parse(body || '{}')
    return typeof value === 'object' && value !== null ? (value as Resource) : null
  } catch {
    return null
  }
}
