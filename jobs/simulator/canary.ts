/** A string that no real record could hold, put into every free-text field; finding it at rest is a leak. */
export function canary(field: string, id: string): string {
  return `${canaryMark} ${field} ${id}`
}

export const canaryMark = 'zq-canary'
