export const load = ({ params, url }: { params: { date: string }; url: URL }) => {
  const asked = (name: string) => url.searchParams.get(name)
  return {
    date: params.date,
    column: asked('column') ?? 'closing',
    dimension: asked('dimension'),
    key: asked('key'),
    about: asked('about'),
  }
}
