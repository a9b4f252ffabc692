export const load = ({ url }: { url: URL }) => ({ before: url.searchParams.get('before') ?? '' })
