import { paths } from '#lib/paths.ts'

export const settingsTabs = [
  { title: 'Configuration', href: paths.settings() },
  { title: 'People', href: paths.people() },
  { title: 'Tokens', href: paths.tokens() },
  { title: 'System', href: paths.system() },
  { title: 'Appearance', href: paths.appearance() },
  { title: 'Your profile', href: paths.profile() },
]
