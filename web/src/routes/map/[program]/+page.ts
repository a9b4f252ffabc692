export const load = ({ params, url }: { params: { program: string }; url: URL }) => {
  const said = (key: string) => url.searchParams.get(key) ?? ''
  return {
    program: params.program,
    view: said('view') === 'table' ? ('table' as const) : ('' as const),
    version: /^\d{1,6}$/.test(said('version')) ? said('version') : '',
    rare: said('rare') === '1' ? ('1' as const) : ('' as const),
    step: said('step'),
    move: said('move'),
  }
}
