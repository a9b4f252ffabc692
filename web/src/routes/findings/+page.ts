import { parseQuery } from '#lib/findings/query.ts'

export const load = ({ url }: { url: URL }) => ({ query: parseQuery(url.searchParams) })
