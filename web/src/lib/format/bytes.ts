const units = ['B', 'kB', 'MB', 'GB', 'TB']

/** `318 MB`, `1.4 GB`: powers of 1,000. */
export function bytes(value: number): string {
  let size = Math.max(0, value)
  let unit = 0
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit += 1
  }
  return `${size >= 10 || unit === 0 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`
}
