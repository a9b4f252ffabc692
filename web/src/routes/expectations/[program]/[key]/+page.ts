export const load = ({ params, url }: { params: { program: string; key: string }; url: URL }) => ({
  program: params.program,
  key: params.key,
  state: url.searchParams.get('state') ?? '',
  at: url.searchParams.get('at') ?? '',
})
