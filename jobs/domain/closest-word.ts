/** The known word a mistyped one most likely meant, or null when none is near enough to guess. */
export function closestWord(typed: string, known: Iterable<string>): string | null {
  const word = typed.toLowerCase()
  const limit = Math.max(2, Math.floor(word.length / 3))
  let best: string | null = null
  let bestDistance = limit + 1
  for (const candidate of known) {
    const distance = editDistance(word, candidate.toLowerCase(), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best !== null && bestDistance < Math.max(word.length, best.length) ? best : null
}

export function didYouMean(typed: string, known: Iterable<string>): string {
  const names = [...known]
  const close = closestWord(typed, names)
  if (close !== null) return `Did you mean "${close}"?`
  if (names.length === 0) return ''
  const shown = names.slice(0, 12).join(', ')
  return names.length > 12 ? `Known: ${shown} and ${names.length - 12} more.` : `Known: ${shown}.`
}

function editDistance(a: string, b: string, giveUpAt: number): number {
  if (Math.abs(a.length - b.length) >= giveUpAt) return giveUpAt
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const swap = a[i - 1] === b[j - 1] ? 0 : 1
      row.push(Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + swap))
    }
    previous = row
  }
  return previous[b.length]!
}
