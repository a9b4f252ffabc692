import { parseQuery } from '#lib/journeys/query.ts'

export const load = ({ url }: { url: URL }) => ({ query: parseQuery(url.searchParams) })
