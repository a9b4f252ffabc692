export const typeScale = [
  { name: 'text-2xs', size: '11 / 16', use: 'Counts on a badge, labels of a chart' },
  { name: 'text-xs', size: '12 / 18', use: 'Notes, column heads, second lines' },
  { name: 'text-sm', size: '13 / 20', use: 'Rows, forms, buttons' },
  { name: 'text-base', size: '14 / 22', use: 'Running text, titles of rows' },
  { name: 'text-lg', size: '16 / 24', use: 'Sections, dialogs' },
  { name: 'text-xl', size: '20 / 28', use: 'The title of a page, once' },
  { name: 'text-2xl', size: '24 / 32', use: 'A number that is the point' },
] as const

export const spaces = [
  { name: '1', px: 4, use: 'between a sign and its word' },
  { name: '2', px: 8, use: 'between things of one kind' },
  { name: '3', px: 12, use: 'inside a control or a notice' },
  { name: '4', px: 16, use: 'inside a card; between cards' },
  { name: '6', px: 24, use: 'between groups' },
  { name: '10', px: 40, use: 'between sections' },
] as const

/** A tone is a colour with its soft ground and its line. Text on each ground keeps at least 4.5 : 1 in both themes. */
export const tones = [
  { name: 'bad', use: 'broken, refused, overdue' },
  { name: 'warn', use: 'late, at risk, paused' },
  { name: 'good', use: 'verified, up to date' },
  { name: 'wait', use: 'in someone’s hands, not known yet' },
  { name: 'accent', use: 'links, the focus, the one main button' },
] as const

export const surfaces = [
  { name: 'canvas', use: 'the page' },
  { name: 'surface', use: 'cards, tables, bars' },
  { name: 'sunken', use: 'fields at rest, code, footers' },
  { name: 'hover', use: 'what the pointer is on' },
] as const

export const inks = [
  { name: 'ink', use: 'what is said' },
  { name: 'ink-soft', use: 'what explains it' },
  { name: 'ink-faint', use: 'labels; never the only sign of a state' },
] as const
