export const load = ({ params, url }: { params: { id: string }; url: URL }) => ({
  id: params.id,
  view: url.searchParams.get('view') === 'table' ? 'table' : 'lanes',
})
