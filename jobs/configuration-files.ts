import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import { AppError } from './domain/errors.ts'
import { readYaml, zodProblems } from './domain/yaml-source.ts'
import type { Problem, YamlSource } from './domain/yaml-source.ts'

export async function readSource(root: string, file: string, holds: string, problems: Problem[]): Promise<YamlSource | null> {
  const text = await readText(root, file, problems, `expected this file with the keys ${holds}`)
  if (text === null) return null
  const source = readYaml(text, file)
  problems.push(...source.problems)
  return source.problems.length > 0 ? null : source
}

export function parseFile<S extends z.ZodType>(source: YamlSource, schema: S, problems: Problem[], showValues = true): z.output<S> | null {
  const parsed = schema.safeParse(source.value)
  if (parsed.success) return parsed.data
  problems.push(...zodProblems(source, schema, parsed.error, [], showValues))
  return null
}

export async function readText(
  root: string,
  file: string,
  problems: Problem[],
  expected = 'expected a readable file',
): Promise<string | null> {
  const report = (message: string) => {
    problems.push({ file, line: 1, column: 1, path: '', message })
    return null
  }
  let bytes: Buffer
  try {
    bytes = await readFile(join(root, file))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    return report(code === 'ENOENT' ? `there is no ${file} in ${root}; ${expected}` : `cannot be read (${code}); ${expected}`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return report('is not UTF-8 text; save it as UTF-8')
  }
}

/** The YAML files of a folder beside connections.yaml, sorted; null where there is no such folder. */
export async function filesOf(root: string, folder: 'programs' | 'runbooks'): Promise<string[] | null> {
  const entries = await readdir(join(root, folder)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new AppError('invalid_configuration', `The folder ${join(root, folder)} cannot be read (${error.code}).`, { cause: error })
  })
  return (
    entries
      ?.filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => `${folder}/${name}`) ?? null
  )
}
