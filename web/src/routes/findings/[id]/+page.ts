export const load = ({ params, url }: { params: { id: string }; url: URL }) => ({
  id: params.id,
  tab: url.searchParams.get('tab') === 'raw' ? ('raw' as const) : ('summary' as const),
})
