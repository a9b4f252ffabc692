import { parseQuery } from '#lib/audit/query.ts'

export const load = ({ url }: { url: URL }) => ({ query: parseQuery(url.searchParams) })
