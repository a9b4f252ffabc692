export const load = ({ url }: { url: URL }) => ({
  query: Object.fromEntries(
    ['program', 'stage', 'subject', 'open', 'ended', 'q'].map((key) => [key, url.searchParams.get(key) ?? '']),
  ) as Record<'program' | 'stage' | 'subject' | 'open' | 'ended' | 'q', string>,
})
