import type { Acts } from '../acts.ts'
import { canary } from '../canary.ts'
import type { ToolDefinition, ToolRequest, ToolResponse } from '../tool-server.ts'
import type { Stored, World } from '../world.ts'
import type { Collection, Json, Resource } from '../writes.ts'
import { changeOf, creationOf } from './acts.ts'

export interface FhirOptions {
  readonly world: World
  readonly acts: Acts
  readonly token: string
}

export const fhirPath = '/fhir/R4'
const types = ['Patient', 'Appointment', 'Encounter', 'QuestionnaireResponse', 'Task', 'Communication']
const maxCount = 200
const comparators: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  ge: (value, bound) => value >= bound,
  gt: (value, bound) => value > bound,
  le: (value, bound) => value <= bound,
  lt: (value, bound) => value < bound,
}

const outcome = (status: number, code: string, diagnostics: string): ToolResponse => ({
  status,
  body: { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, diagnostics }] },
})

const patientOf = (resource: Resource): string | null => {
  const references = [
    resource.subject,
    resource.for,
    ...(Array.isArray(resource.participant) ? resource.participant.map((one: Json) => (one as Resource).actor) : []),
  ]
  for (const reference of references) {
    const target = (reference as Resource | undefined)?.reference
    if (typeof target === 'string' && target.startsWith('Patient/')) return target.slice('Patient/'.length)
  }
  return null
}

/** A FHIR R4 server: searches by _lastUpdated in keyset pages with absolute next links, _include of the patient, reads with versions; tasks are made, statuses patched. */
export function fhir({ world, acts, token }: FhirOptions): ToolDefinition {
  const search = (type: string, request: ToolRequest): ToolResponse => {
    const query = request.url.searchParams
    const base = `${request.url.origin}${fhirPath}`
    const allowed = [
      '_lastUpdated',
      '_sort',
      '_count',
      '_include',
      '_id',
      '_page',
      'patient',
      'subject',
      'status',
      '_format',
      '_total',
      'identifier',
      'focus',
    ]
    for (const key of query.keys()) if (!allowed.includes(key)) return outcome(400, 'not-supported', `Unknown search parameter ${key}`)
    const count = Math.min(Number(query.get('_count') ?? 50), maxCount)
    if (!Number.isInteger(count) || count < 1) return outcome(400, 'value', '_count must be a positive whole number')
    const bounds = query.getAll('_lastUpdated').map((text) => ({ compare: comparators[text.slice(0, 2)], at: Date.parse(text.slice(2)) }))
    if (bounds.some(({ compare, at }) => compare === undefined || Number.isNaN(at)))
      return outcome(400, 'value', '_lastUpdated needs ge, gt, le or lt and an instant')
    const descending = query.get('_sort') === '-_lastUpdated'
    if (!['_lastUpdated', '-_lastUpdated', null].includes(query.get('_sort')))
      return outcome(400, 'not-supported', 'only _sort=_lastUpdated is supported')
    const patient = (query.get('patient') ?? query.get('subject'))?.replace(/^Patient\//, '')
    const order = (a: Stored, b: Stored) => (descending ? -1 : 1) * (a.updatedAt - b.updatedAt || (a.id < b.id ? -1 : 1))
    const matches = [...world.all(`fhir.${type}` as Collection).values()]
      .filter((item) => bounds.every(({ compare, at }) => compare?.(item.updatedAt, at) === true))
      .filter(
        ({ id, body }) =>
          (!query.has('_id') || query.get('_id') === id) &&
          (!query.has('status') || query.get('status') === body.status) &&
          (!query.has('identifier') || hasIdentifier(body, query.get('identifier'))) &&
          (!query.has('focus') || (body.focus as Resource | undefined)?.reference === query.get('focus')) &&
          (patient === undefined || patientOf(body) === patient),
      )
      .sort(order)
    const after = readPage(query.get('_page'))
    const from = after === null ? 0 : matches.findIndex((item) => order(item, after) > 0)
    const page = from === -1 ? [] : matches.slice(from, from + count)
    const last = page.at(-1)
    const links = [{ relation: 'self', url: `${request.url.origin}${request.url.pathname}${request.url.search}` }]
    if (last !== undefined && from + page.length < matches.length) {
      const next = new URLSearchParams(query)
      next.set('_page', Buffer.from(`${last.updatedAt}|${last.id}`).toString('base64url'))
      links.push({ relation: 'next', url: `${base}/${type}?${next.toString()}` })
    }
    const entry = (resourceType: string, body: Resource, mode: 'match' | 'include') => ({
      fullUrl: `${base}/${resourceType}/${String(body.id)}`,
      resource: body,
      search: { mode },
    })
    const included = new Set(
      query.getAll('_include').some((text) => /:(patient|subject|actor)$/.test(text))
        ? page.flatMap(({ body }) => patientOf(body) ?? [])
        : [],
    )
    return {
      status: 200,
      body: {
        resourceType: 'Bundle',
        type: 'searchset',
        timestamp: new Date(request.now).toISOString(),
        total: matches.length,
        link: links,
        entry: [
          ...page.map(({ body }) => entry(type, body, 'match')),
          ...[...included].flatMap((id) => {
            const found = world.all('fhir.Patient').get(id)
            return found === undefined ? [] : [entry('Patient', found.body, 'include')]
          }),
        ],
      },
    }
  }

  const create = (type: string, request: ToolRequest): ToolResponse => {
    const body = bodyOf(request)
    if (type !== 'Task' || body?.resourceType !== 'Task') return outcome(405, 'not-supported', 'Only a Task can be created here')
    if (typeof body.status !== 'string' || typeof body.intent !== 'string') return outcome(422, 'required', 'Task needs status and intent')
    const condition = request.headers['if-none-exist']
    const identifier = typeof condition === 'string' ? new URLSearchParams(condition).get('identifier') : null
    const same = [...world.all('fhir.Task').values()].filter((task) => identifier !== null && hasIdentifier(task.body, identifier))
    if (same.length > 1) return outcome(412, 'multiple-matches', `${same.length} tasks match`)
    if (same[0]) return { status: 200, headers: { etag: etagOf(same[0].body) }, body: same[0].body }
    return acts.run('fhir.create-task', request, creationOf(world, body, identifier?.split('|')[1] ?? null))
  }

  const patch = (type: string, id: string, request: ToolRequest): ToolResponse => {
    const stands = world.all(`fhir.${type}` as Collection).get(id)?.body
    if (stands === undefined) return outcome(404, 'not-found', `${type}/${id} is not known. ${canary('fhir.error', type)}`)
    if (request.headers['content-type'] !== 'application/json-patch+json') return outcome(415, 'not-supported', 'Only JSON Patch is taken')
    const match = request.headers['if-match']
    if (match !== undefined && match !== etagOf(stands)) return outcome(412, 'conflict', `${type}/${id} has another version`)
    const operations = parsed(request.body)
    const change: Record<string, Json> = {}
    for (const one of Array.isArray(operations) ? (operations as readonly Resource[]) : []) {
      const field = String(one.path).slice(1)
      if (field !== 'status') return outcome(422, 'not-supported', 'Only the status can be patched here')
      if (one.op === 'test' && stands[field] !== one.value) return outcome(422, 'conflict', 'The test of the patch failed')
      if (one.op === 'replace' && one.value !== undefined) change[field] = one.value
    }
    if (Object.keys(change).length === 0) return outcome(400, 'structure', 'The patch changes nothing')
    const action = type === 'Appointment' ? 'fhir.set-appointment-status' : 'fhir.set-task-status'
    return acts.run(action, request, changeOf(stands, change))
  }

  return {
    name: 'fhir',
    contentType: 'application/fhir+json; charset=utf-8',
    error: (_status, code, message) => outcome(500, code === 'rate_limited' ? 'throttled' : 'exception', message).body,
    handle(request) {
      const path = request.url.pathname
      if (path === `${fhirPath}/metadata`)
        return {
          status: 200,
          body: {
            resourceType: 'CapabilityStatement',
            status: 'active',
            kind: 'instance',
            date: new Date(request.now).toISOString(),
            fhirVersion: '4.0.1',
            format: ['json'],
            rest: [{ mode: 'server', resource: types.map((type) => ({ type, interaction: interactionsOf(type) })) }],
          },
        }
      if (request.headers.authorization !== `Bearer ${token}`) return outcome(401, 'login', 'Authentication required')
      const [type, id, ...more] = path.startsWith(`${fhirPath}/`) ? path.slice(fhirPath.length + 1).split('/') : []
      if (type === undefined || !types.includes(type) || more.length > 0) return outcome(404, 'not-supported', 'Unknown resource type')
      if (request.method === 'POST' && id === undefined) return create(type, request)
      if (request.method === 'PATCH' && id !== undefined) return patch(type, id, request)
      if (request.method !== 'GET') return outcome(405, 'not-supported', `${request.method} is not supported`)
      if (id === undefined) return search(type, request)
      const found = world.all(`fhir.${type}` as Collection).get(id)
      if (found === undefined) return outcome(404, 'not-found', `${type}/${id} is not known. ${canary('fhir.error', type)}`)
      return {
        status: 200,
        headers: { etag: etagOf(found.body), 'last-modified': new Date(found.updatedAt).toUTCString() },
        body: found.body,
      }
    },
  }
}

const etagOf = (body: Resource) => `W/"${String((body.meta as Resource).versionId)}"`
const interactionsOf = (type: string) =>
  ['read', 'search-type', ...(type === 'Task' ? ['create'] : []), ...(type === 'Task' || type === 'Appointment' ? ['patch'] : [])].map(
    (code) => ({ code }),
  )

/** `system|value` */
function hasIdentifier(body: Resource, token: string | null): boolean {
  const [system, value] = (token ?? '').split('|')
  return (
    Array.isArray(body.identifier) &&
    body.identifier.some((one: Json) => (one as Resource).system === system && (one as Resource).value === value)
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function bodyOf({ body }: ToolRequest): Resource | null {
  const value = parsed(body)
  return typeof value === 'object' && value !== null ? (value as Resource) : null
}

function readPage(token: string | null): Stored | null {
  if (token === null) return null
  const [updatedAt, id] = Buffer.from(token, 'base64url').toString('utf8').split('|')
  return { id: id ?? '', updatedAt: Number(updatedAt), body: {} }
}
