import { paths } from '#lib/paths.ts'

export const helpTabs = [
  { title: 'Guide', href: paths.help() },
  { title: 'Connect a tool', href: paths.helpPage('connect') },
  { title: 'API', href: paths.helpPage('api') },
  { title: 'How the console speaks', href: paths.helpPage('design') },
]
