export const load = ({ url }: { url: URL }) => ({
  state: url.searchParams.get('state') ?? '',
  runbook: url.searchParams.get('runbook') ?? '',
})
