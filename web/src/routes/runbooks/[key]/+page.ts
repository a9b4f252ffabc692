const views = ['steps', 'text', 'versions'] as const
export type View = (typeof views)[number]

const versionOf = (text: string | null): number | null => {
  const version = Number(text)
  return Number.isInteger(version) && version > 0 ? version : null
}

export const load = ({ params, url }: { params: { key: string }; url: URL }) => ({
  key: params.key,
  view: views.find((one) => one === url.searchParams.get('view')) ?? 'steps',
  from: versionOf(url.searchParams.get('from')),
  to: versionOf(url.searchParams.get('to')),
  isSideBySide: url.searchParams.get('diff') === 'side',
})
