// Runs before first paint, so that the chosen theme never flashes. lib/preferences.svelte.ts owns the keys.
try {
  const saved = JSON.parse(localStorage.getItem('throughline.preferences') || '{}')
  const dark = saved.theme === 'dark' || (saved.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  document.documentElement.dataset.density = saved.density === 'compact' ? 'compact' : 'comfortable'
} catch {
  // Storage refused (private window): the defaults in app.html stand.
}
