import { paths } from '#lib/paths.ts'

export const settingsTabs = [
  { title: 'Configuration', href: paths.settings() },
  { title: 'System', href: paths.system() },
  { title: 'Appearance', href: paths.appearance() },
]
