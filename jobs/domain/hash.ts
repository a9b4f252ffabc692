import { hash } from 'node:crypto'

/**
 * The first 128 bits of SHA-256 over the parts joined with NUL, as 32 hex digits. NUL and backslash inside a part are escaped,
 * so two different lists of parts never share an input. Not a secret: identifying values go through `jobs/edge.ts`.
 */
export function hash128(...parts: readonly (string | number)[]): string {
  let input = ''
  for (let index = 0; index < parts.length; index++) {
    const part = String(parts[index])
    const safe = part.includes('\0') || part.includes('\\') ? part.replaceAll('\\', '\\\\').replaceAll('\0', '\\0') : part
    input += index === 0 ? safe : `\0${safe}`
  }
  return hash('sha256', input, 'hex').slice(0, 32)
}
