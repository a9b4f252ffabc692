import { createHash } from 'node:crypto'
import { filesOf, readText } from './configuration-files.ts'
import type { Connector } from './connectors/connector.ts'
import { parseRunbook } from './domain/parse-runbook.ts'
import type { KnownToRunbooks } from './domain/parse-runbook.ts'
import type { Program } from './domain/program.ts'
import { kindsOf } from './domain/promise.ts'
import { mayServe } from './domain/runbook-scope.ts'
import type { KnownAction, Runbook } from './domain/runbook.ts'
import { readYaml } from './domain/yaml-source.ts'
import type { Problem } from './domain/yaml-source.ts'

export interface ConfiguredRunbook {
  /** Relative to the configuration folder. */
  readonly file: string
  readonly source: string
  /** SHA-256 of the source, hex. */
  readonly sourceHash: string
  readonly runbook: Runbook
}

export interface DeclaredRunbooks {
  readonly files: readonly { readonly file: string; readonly source: string }[]
  /** Those of files with other mistakes too, so that one mistake is not told twice. */
  readonly keys: ReadonlySet<string>
}

/** The runbook files of a folder and the keys they declare; null where there is no folder `runbooks`. */
export async function declareRunbooks(root: string, problems: Problem[]): Promise<DeclaredRunbooks | null> {
  const names = await filesOf(root, 'runbooks')
  if (names === null) return null
  const files: { file: string; source: string }[] = []
  const keys = new Set<string>()
  for (const file of names) {
    const source = await readText(root, file, problems)
    if (source === null) continue
    files.push({ file, source })
    const { value } = readYaml(source, file)
    if (typeof value === 'object' && value !== null && 'runbook' in value && typeof value.runbook === 'string') keys.add(value.runbook)
  }
  return { files, keys }
}

/** The actions of each connection by its connector, whether or not it can be reached now. */
export function actionsOfConnections(
  connections: readonly { readonly id: string; readonly connector: string }[],
  connectors: readonly Connector[],
): ReadonlyMap<string, readonly KnownAction[]> {
  return new Map(
    connections.map(({ id, connector }) => [id, connectors.find((one) => one.describe().id === connector)?.actions ?? []] as const),
  )
}

interface Around {
  readonly known: Pick<KnownToRunbooks, 'streams' | 'owners' | 'unreadConnections'>
  readonly connections: readonly { readonly id: string; readonly connector: string }[]
  readonly connectors: readonly Connector[]
  readonly programs: readonly { readonly file: string; readonly source: string; readonly program: Program }[]
  /** False: some program could not be read, so a name that is in none of them is taken on trust. */
  readonly isWhole: boolean
}

/** Every runbook without mistakes; what is wrong with the others, and with the promises that name one, goes into `problems`. */
export function readRunbooks(
  declared: DeclaredRunbooks | null,
  { known, connections, connectors, programs, isWhole }: Around,
  problems: Problem[],
  notices: string[],
): ConfiguredRunbook[] {
  if (declared === null) {
    const named = [...new Set(programs.flatMap(({ program }) => program.expectations.flatMap(({ runbook }) => runbook ?? [])))]
    if (named.length > 0)
      notices.push(
        `There is no folder runbooks/, and the programs name ${named.map((key) => `"${key}"`).join(', ')}: nothing can be recovered from here until it is there.`,
      )
    return []
  }
  const runbooks: ConfiguredRunbook[] = []
  const everything: KnownToRunbooks = {
    ...known,
    ...(known.streams === undefined ? {} : { actions: actionsOfConnections(connections, connectors) }),
    ...(isWhole ? { programs: programs.map(({ program }) => program) } : {}),
  }
  for (const { file, source } of declared.files) {
    const parsed = parseRunbook(source, file, everything)
    if (!parsed.ok) {
      problems.push(...parsed.problems)
      continue
    }
    const twin = runbooks.find(({ runbook }) => runbook.key === parsed.runbook.key)
    if (twin !== undefined) {
      const message = `the runbook "${parsed.runbook.key}" already stands in ${twin.file}; expected another key`
      problems.push(readYaml(source, file).problem(['runbook'], message))
      continue
    }
    runbooks.push({ file, source, sourceHash: createHash('sha256').update(source).digest('hex'), runbook: parsed.runbook })
  }
  for (const { file, source, program } of programs) {
    for (const expectation of program.expectations) {
      const runbook = runbooks.find((one) => one.runbook.key === expectation.runbook)?.runbook
      if (runbook === undefined || mayServe(runbook.for, program.key, expectation)) continue
      problems.push(
        readYaml(source, file).problem(
          ['expectations', expectation.name, 'runbook'],
          `the runbook "${runbook.key}" may run on no finding of this promise (${kindsOf(expectation).join(', ')}): see its \`for\``,
        ),
      )
    }
  }
  return runbooks
}
