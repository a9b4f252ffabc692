const storageKey = 'throughline.preferences'

export type Theme = 'system' | 'light' | 'dark'
export type Density = 'comfortable' | 'compact'
export type Zone = 'workspace' | 'browser' | 'utc'
export type Motion = 'system' | 'reduced'

interface Saved {
  theme: Theme
  density: Density
  singleKeys: boolean
  zone: Zone
  motion: Motion
}

function load(): Saved {
  const defaults: Saved = { theme: 'system', density: 'comfortable', singleKeys: true, zone: 'workspace', motion: 'system' }
  try {
    return { ...defaults, ...JSON.parse(localStorage.getItem(storageKey) ?? '{}') }
  } catch {
    return defaults
  }
}

/** What one person prefers in this browser. static/preferences.js reads theme and density before first paint. */
export const preferences = $state(load())

export function savePreferences(change: Partial<Saved>): void {
  Object.assign(preferences, change)
  try {
    localStorage.setItem(storageKey, JSON.stringify(preferences))
  } catch {
    // Storage refused: the choice holds until the page is closed.
  }
}

export function applyPreferences(): void {
  const prefersDark = matchMedia('(prefers-color-scheme: dark)')
  $effect(() => {
    const apply = () => {
      const isDark = preferences.theme === 'dark' || (preferences.theme === 'system' && prefersDark.matches)
      document.documentElement.dataset.theme = isDark ? 'dark' : 'light'
      document.documentElement.dataset.density = preferences.density
      document.documentElement.dataset.motion = preferences.motion
    }
    apply()
    prefersDark.addEventListener('change', apply)
    return () => prefersDark.removeEventListener('change', apply)
  })
}
