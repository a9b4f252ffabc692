import { parseConnectionQuery } from '#lib/connections/query.ts'

export const load = ({ url }: { url: URL }) => ({ query: parseConnectionQuery(url.searchParams) })
