import { api } from '../api.ts'
import { paths } from '../paths.ts'
import { Problem } from '../problem.ts'

export const looksLikeId = (text: string): boolean => /^[0-9a-f-]{32,36}$/i.test(text)

/** Where an id leads: to its finding, else its journey. Undefined when it is neither. */
export async function pathOfId(id: string, signal?: AbortSignal): Promise<string | undefined> {
  for (const [read, path] of [
    [api.finding, paths.finding],
    [api.journey, paths.journey],
  ] as const) {
    try {
      await read(id, signal)
      return path(id)
    } catch (problem) {
      if (!(problem instanceof Problem) || !problem.isMissing) throw problem
    }
  }
  return undefined
}
