const views = ['lanes', 'table', 'raw'] as const
export type JourneyViewName = (typeof views)[number]

export const load = ({ params, url }: { params: { id: string }; url: URL }) => ({
  id: params.id,
  view: views.find((view) => view === url.searchParams.get('view')) ?? 'lanes',
  /** Connections whose lanes are left out. */
  without: (url.searchParams.get('without') ?? '').split(',').filter(Boolean),
  item: url.searchParams.get('item') ?? undefined,
})
