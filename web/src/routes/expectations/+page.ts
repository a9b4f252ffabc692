import { parseExpectationQuery } from '#lib/expectations/query.ts'

export const load = ({ url }: { url: URL }) => ({ query: parseExpectationQuery(url.searchParams) })
