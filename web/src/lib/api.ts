import { hc } from 'hono/client'
import type { App } from '../../../server/app.ts'
import type { Query } from './paths.ts'
import { problemOf, unreachable } from './problem.ts'

const timeoutMs = 20_000

async function fetchInTime(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs)
  let response: Response
  try {
    response = await fetch(input, { ...init, signal: init.signal ? AbortSignal.any([init.signal, timeout]) : timeout })
  } catch (cause) {
    if (init.signal?.aborted) throw cause
    throw unreachable(cause)
  }
  if (response.status === 401) tellSignedOut()
  if (!response.ok) throw await problemOf(response)
  return response
}

let tellSignedOut = () => {}
/** Called whenever the API answers that nobody is signed in. */
export function whenSignedOut(tell: () => void): void {
  tellSignedOut = tell
}

const { v1 } = hc<App>('/', { fetch: fetchInTime }).api
const finding = v1.findings[':id']
const view = v1.findings.views[':id']
const bulk = v1.findings.bulk[':id']
type BulkBody = Parameters<typeof v1.findings.bulk.$post>[0]['json']
type FindingGrouping = Parameters<typeof v1.findings.groups.$get>[0]['query']['by']
const connection = v1.connections[':id']
type ReportQuery = Parameters<(typeof v1.reports)[':day']['findings']['$get']>[0]['query']
const expectation = v1.expectations[':program'][':key']
const program = v1.programs[':key']
const run = v1.runs[':id']
const runbook = v1.runbooks[':key']
const person = v1.people[':id']
const invite = v1.people.invites
type JoinBody = Parameters<typeof v1.join.$post>[0]['json']
type InviteBody = Parameters<typeof invite.$post>[0]['json']
type TokenBody = Parameters<typeof v1.tokens.$post>[0]['json']
interface Proof {
  password: string
  code?: string
}
type ExpectationDraft = Parameters<(typeof v1)['program-drafts']['$post']>[0]['json']

interface RunAsked {
  runbook: string
  answers: Record<string, string | number | boolean>
}
type RunAnswer = Parameters<(typeof run)['answer']['$post']>[0]['json']

type Good<R> = R extends { status: 200 | 201 | 202; json: () => Promise<infer T> } ? T : never
/** The body of what went well: `fetchInTime` has thrown everything else. */
const body = async <R extends { json: () => Promise<unknown> }>(answer: Promise<R>) => (await (await answer).json()) as Good<R>
const stopped = (signal?: AbortSignal) => (signal ? { init: { signal } } : undefined)

function texts(query: Query): Record<string, string> {
  const entries = Object.entries(query).map(([key, value]) => [key, Array.isArray(value) ? value.join(',') : String(value ?? '')] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== ''))
}

interface Change {
  id: string
  revision: number
}
const about = <A extends object>({ id, revision }: Change, asked: A) => ({ param: { id }, json: { ...asked, revision } })

/** Every request of the console. What the API cannot do is thrown as the `Problem` it states. */
export const api = {
  feedUrl: '/api/v1/feed',
  status: (signal?: AbortSignal) => body(v1.status.$get({}, stopped(signal))),
  overview: (query: Query, signal?: AbortSignal) => body(v1.overview.$get({ query: texts(query) }, stopped(signal))),
  trends: (query: Query, signal?: AbortSignal) => body(v1.overview.trends.$get({ query: texts(query) }, stopped(signal))),
  freshness: (signal?: AbortSignal) => body(v1.overview.freshness.$get({}, stopped(signal))),
  catalogue: () => body(v1.catalogue.$get()),
  findings: (query: Query, signal?: AbortSignal) => body(v1.findings.$get({ query: texts(query) }, stopped(signal))),
  finding: (id: string, signal?: AbortSignal) => body(finding.$get({ param: { id } }, stopped(signal))),
  findingRelated: (id: string, signal?: AbortSignal) => body(finding.related.$get({ param: { id } }, stopped(signal))),
  findingGroups: (by: FindingGrouping, query: Query, signal?: AbortSignal) =>
    body(v1.findings.groups.$get({ query: { ...texts(query), by } }, stopped(signal))),
  findingExportUrl: (format: 'csv' | 'json', address: string) => `/api/v1/findings/export?format=${format}${address && `&${address}`}`,
  findingViews: (signal?: AbortSignal) => body(v1.findings.views.$get({}, stopped(signal))),
  saveView: (json: { name: string; query: string }) => body(v1.findings.views.$post({ json })),
  changeView: ({ id, ...json }: Change & { name?: string; query?: string }) => body(view.$put({ param: { id }, json })),
  deleteView: ({ id, revision }: Change) => body(view.$delete({ param: { id }, query: { revision: String(revision) } })),
  beginBulk: (json: BulkBody) => body(v1.findings.bulk.$post({ json })),
  bulk: (id: string) => body(bulk.$get({ param: { id } })),
  stopBulk: (id: string) => body(bulk.stop.$post({ param: { id } })),
  continueBulk: (id: string) => body(bulk.continue.$post({ param: { id } })),
  acknowledge: (change: Change) => body(finding.acknowledge.$post(about(change, {}))),
  claim: (change: Change) => body(finding.claim.$post(about(change, {}))),
  release: (change: Change) => body(finding.release.$post(about(change, {}))),
  assign: (change: Change, asked: { owner: string; reason?: string }) => body(finding.assign.$post(about(change, asked))),
  snooze: (change: Change, asked: { until: string }) => body(finding.snooze.$post(about(change, asked))),
  unsnooze: (change: Change) => body(finding.unsnooze.$post(about(change, {}))),
  waive: (change: Change, asked: { reason: string; until: string }) => body(finding.waive.$post(about(change, asked))),
  dismiss: (change: Change, asked: { reason: string }) => body(finding['false-alarm'].$post(about(change, asked))),
  comment: (change: Change, asked: { body: string }) => body(finding.comment.$post(about(change, asked))),
  journeys: (query: Query, signal?: AbortSignal) => body(v1.journeys.$get({ query: texts(query) }, stopped(signal))),
  journey: (id: string, signal?: AbortSignal) => body(v1.journeys[':id'].$get({ param: { id } }, stopped(signal))),
  journeyEvents: (id: string, query: Query, signal?: AbortSignal) =>
    body(v1.journeys[':id'].events.$get({ param: { id }, query: texts(query) }, stopped(signal))),
  journeyStages: (signal?: AbortSignal) => body(v1.journeys.stages.$get({}, stopped(signal))),
  map: (program: string, query: Query, signal?: AbortSignal) =>
    body(v1.map[':program'].$get({ param: { program }, query: texts(query) }, stopped(signal))),
  passed: (program: string, query: Query, signal?: AbortSignal) =>
    body(v1.map[':program'].journeys.$get({ param: { program }, query: texts(query) }, stopped(signal))),
  expectations: (signal?: AbortSignal) => body(v1.expectations.$get({}, stopped(signal))),
  expectation: (param: { program: string; key: string }, signal?: AbortSignal) => body(expectation.$get({ param }, stopped(signal))),
  activations: (param: { program: string; key: string }, query: Query, signal?: AbortSignal) =>
    body(expectation.activations.$get({ param, query: texts(query) }, stopped(signal))),
  reports: (query: Query, signal?: AbortSignal) => body(v1.reports.$get({ query: texts(query) }, stopped(signal))),
  report: (day: string, signal?: AbortSignal) => body(v1.reports[':day'].$get({ param: { day } }, stopped(signal))),
  reportFindings: (day: string, query: Query, signal?: AbortSignal) =>
    body(v1.reports[':day'].findings.$get({ param: { day }, query: texts(query) as ReportQuery }, stopped(signal))),
  reportDownloadUrl: (day: string, format: 'html' | 'csv' | 'json') => `/api/v1/reports/${day}/download?format=${format}`,
  connections: (signal?: AbortSignal) => body(v1.connections.$get({}, stopped(signal))),
  connection: (id: string, signal?: AbortSignal) => body(connection.$get({ param: { id } }, stopped(signal))),
  /** The OpenAPI description this very server gives of itself. */
  openapi: async (signal?: AbortSignal): Promise<unknown> => (await fetchInTime('/api/v1/openapi.json', signal ? { signal } : {})).json(),
  offers: (findingId: string, signal?: AbortSignal) => body(finding.runbooks.$get({ param: { id: findingId } }, stopped(signal))),
  previewRun: (findingId: string, asked: RunAsked, signal?: AbortSignal) =>
    body(finding.runs.preview.$post({ param: { id: findingId }, json: asked }, stopped(signal))),
  startRun: (findingId: string, asked: RunAsked & { hash: string; reason?: string }, key: string) =>
    body(finding.runs.$post({ param: { id: findingId }, json: asked, header: { 'idempotency-key': key } })),
  runs: (query: Query, signal?: AbortSignal) => body(v1.runs.$get({ query: texts(query) }, stopped(signal))),
  run: (id: string, signal?: AbortSignal) => body(run.$get({ param: { id } }, stopped(signal))),
  approveRun: (id: string, asked: { hash: string; reason?: string }) => body(run.approve.$post({ param: { id }, json: asked })),
  rejectRun: (id: string, asked: { hash: string; reason: string }) => body(run.reject.$post({ param: { id }, json: asked })),
  cancelRun: (id: string, reason: string) => body(run.cancel.$post({ param: { id }, json: { reason } })),
  answerRun: (id: string, asked: RunAnswer) => body(run.answer.$post({ param: { id }, json: asked })),
  programs: (signal?: AbortSignal) => body(v1.programs.$get({}, stopped(signal))),
  program: (key: string, signal?: AbortSignal) => body(program.$get({ param: { key } }, stopped(signal))),
  programDiff: (key: string, from: number, to: number, signal?: AbortSignal) =>
    body(program.diff.$get({ param: { key }, query: { from: String(from), to: String(to) } }, stopped(signal))),
  programWords: (signal?: AbortSignal) => body(v1['program-words'].$get({}, stopped(signal))),
  draftExpectation: (asked: ExpectationDraft, signal?: AbortSignal) => body(v1['program-drafts'].$post({ json: asked }, stopped(signal))),
  checkProgram: (key: string, source: string, signal?: AbortSignal) =>
    body(program.check.$post({ param: { key }, json: { source } }, stopped(signal))),
  planProgram: (key: string, asked: { source: string; days: number }, signal?: AbortSignal) =>
    body(program.plan.$post({ param: { key }, json: asked }, stopped(signal))),
  applyProgram: (key: string, asked: { source: string; plan: string }) => body(program.apply.$post({ param: { key }, json: asked })),
  runbooks: (signal?: AbortSignal) => body(v1.runbooks.$get({}, stopped(signal))),
  runbook: (key: string, signal?: AbortSignal) => body(runbook.$get({ param: { key } }, stopped(signal))),
  runbookDiff: (key: string, from: number, to: number, signal?: AbortSignal) =>
    body(runbook.diff.$get({ param: { key }, query: { from: String(from), to: String(to) } }, stopped(signal))),
  audit: (query: Query, signal?: AbortSignal) => body(v1.audit.$get({ query: texts(query) }, stopped(signal))),
  auditChain: (signal?: AbortSignal) => body(v1.audit.chain.$get({}, stopped(signal))),
  auditExportUrl: (address: string) => `/api/v1/audit/export${address && `?${address}`}`,
  settings: (signal?: AbortSignal) => body(v1.settings.$get({}, stopped(signal))),
  system: (signal?: AbortSignal) => body(v1.system.$get({}, stopped(signal))),
  connectors: (signal?: AbortSignal) => body(v1.connectors.$get({}, stopped(signal))),
  firstSteps: (signal?: AbortSignal) => body(v1['first-steps'].$get({}, stopped(signal))),
  check: (id: string) => body(connection.check.$post({ param: { id } })),
  poll: (id: string) => body(connection.poll.$post({ param: { id } })),
  pause: (id: string, json: { reason: string }) => body(connection.pause.$post({ param: { id }, json })),
  resume: (id: string) => body(connection.resume.$post({ param: { id } })),
  quarantine: (id: string, signal?: AbortSignal) => body(connection.quarantine.$get({ param: { id } }, stopped(signal))),
  acceptQuarantined: (id: string, json: { stream: string; rawHash: string; reason: string }) =>
    body(connection.quarantine.accept.$post({ param: { id }, json })),
  signInWay: (signal?: AbortSignal) => body(v1['sign-in'].$get({}, stopped(signal))),
  signIn: (json: Proof & { email: string }) => body(v1['sign-in'].$post({ json })),
  enterDemo: (id: string) => body(v1['sign-in'].demo.$post({ json: { person: id } })),
  signOut: () => body(v1['sign-out'].$post()),
  lookAtLink: (token: string, signal?: AbortSignal) => body(v1.join.look.$post({ json: { token } }, stopped(signal))),
  join: (json: JoinBody) => body(v1.join.$post({ json })),
  me: (signal?: AbortSignal) => body(v1.me.$get({}, stopped(signal))),
  seen: () => body(v1.me.seen.$post()),
  confirmMe: (json: Proof) => body(v1.me.confirm.$post({ json })),
  changePassword: (json: Proof & { next: string }) => body(v1.me.password.$post({ json })),
  beginTotp: () => body(v1.me.totp.$post()),
  confirmTotp: (code: string) => body(v1.me.totp.confirm.$post({ json: { code } })),
  removeTotp: () => body(v1.me.totp.remove.$post()),
  mySessions: (signal?: AbortSignal) => body(v1.me.sessions.$get({}, stopped(signal))),
  endMySession: (id: string) => body(v1.me.sessions[':id'].end.$post({ param: { id } })),
  openEmergency: (reason: string) => body(v1.me.emergency.$post({ json: { reason } })),
  closeEmergency: () => body(v1.me.emergency.close.$post()),
  personNames: (signal?: AbortSignal) => body(v1.people.names.$get({}, stopped(signal))),
  people: (signal?: AbortSignal) => body(v1.people.$get({}, stopped(signal))),
  invite: (json: InviteBody) => body(invite.$post({ json })),
  withdrawInvite: (id: string) => body(invite[':id'].withdraw.$post({ param: { id } })),
  setRoles: ({ id, revision }: Change, roles: InviteBody['roles']) => body(person.roles.$put({ param: { id }, json: { revision, roles } })),
  disablePerson: ({ id, revision }: Change) => body(person.disable.$post({ param: { id }, json: { revision } })),
  enablePerson: ({ id, revision }: Change) => body(person.enable.$post({ param: { id }, json: { revision } })),
  resetPerson: (id: string) => body(person.reset.$post({ param: { id } })),
  tokens: (signal?: AbortSignal) => body(v1.tokens.$get({}, stopped(signal))),
  makeToken: (json: TokenBody) => body(v1.tokens.$post({ json })),
  revokeToken: (id: string) => body(v1.tokens[':id'].revoke.$post({ param: { id } })),
}
