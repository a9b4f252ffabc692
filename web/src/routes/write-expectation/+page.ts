export const load = ({ url }: { url: URL }) => ({ program: url.searchParams.get('program') ?? '' })
