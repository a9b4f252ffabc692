/** Every link of the console. Routes carry ids, never names of people. */
export type Query = Record<string, string | number | readonly string[] | null | undefined>

function withQuery(path: string, query: Query = {}): string {
  const search = Object.entries(query)
    .map(([key, value]) => [key, Array.isArray(value) ? value.join(',') : (value ?? '')] as const)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${encodeURIComponent(String(value)).replaceAll('%2C', ',')}`)
    .join('&')
  return search ? `${path}?${search}` : path
}

export const paths = {
  overview: (query?: Query) => withQuery('/', query),
  findings: (query?: Query) => withQuery('/findings', query),
  finding: (id: string) => `/findings/${encodeURIComponent(id)}`,
  journeys: (query?: Query) => withQuery('/journeys', query),
  journey: (id: string, query?: Query) => withQuery(`/journeys/${encodeURIComponent(id)}`, query),
  map: (program?: string, query?: Query) => withQuery(program === undefined ? '/map' : `/map/${encodeURIComponent(program)}`, query),
  expectations: (query?: Query) => withQuery('/expectations', query),
  expectation: (program: string, key: string, query?: Query) =>
    withQuery(`/expectations/${encodeURIComponent(program)}/${encodeURIComponent(key)}`, query),
  runs: (query?: Query) => withQuery('/runs', query),
  run: (id: string) => `/runs/${encodeURIComponent(id)}`,
  approvals: () => '/approvals',
  programs: () => '/programs',
  program: (key: string, query?: Query) => withQuery(`/programs/${encodeURIComponent(key)}`, query),
  runbooks: () => '/runbooks',
  runbook: (key: string, query?: Query) => withQuery(`/runbooks/${encodeURIComponent(key)}`, query),
  writeExpectation: (query?: Query) => withQuery('/write-expectation', query),
  audit: (query?: Query) => withQuery('/audit', query),
  settings: () => '/settings',
  system: () => '/settings/system',
  appearance: () => '/settings/appearance',
  people: () => '/settings/people',
  tokens: () => '/settings/tokens',
  profile: () => '/settings/profile',
  signIn: (to?: string) => withQuery('/sign-in', { to }),
  help: (section?: string) => (section ? `/help#${section}` : '/help'),
  helpPage: (page: 'connect' | 'api' | 'design') => `/help/${page}`,
  reports: (query?: Query) => withQuery('/reports', query),
  report: (day: string) => `/reports/${encodeURIComponent(day)}`,
  reportFindings: (day: string, query: Query) => withQuery(`/reports/${encodeURIComponent(day)}/findings`, query),
  connections: (query?: Query) => withQuery('/connections', query),
  connection: (id: string) => `/connections/${encodeURIComponent(id)}`,
}
