import type { z } from 'zod'
import type { ownersFileSchema } from './configuration-schema.ts'
import { didYouMean } from './domain/closest-word.ts'
import { findingKinds } from './domain/finding-kinds/index.ts'
import type { Program } from './domain/program.ts'
import type { Problem, YamlSource } from './domain/yaml-source.ts'

type OwnersFile = z.output<typeof ownersFileSchema>

/** Every name in the routes of owners.yaml must be one that exists. */
export function checkRouting(
  source: YamlSource,
  owners: OwnersFile,
  known: {
    readonly ownerKeys: ReadonlySet<string>
    readonly siteKeys: ReadonlySet<string>
    readonly connections: ReadonlySet<string> | null
    readonly programs: readonly { readonly program: Program }[]
  },
  problems: Problem[],
): void {
  const check = (path: readonly PropertyKey[], what: string, value: string | undefined, among: Iterable<string>) => {
    const names = new Set(among)
    if (value !== undefined && !names.has(value))
      problems.push(source.problem(path, `there is no ${what} "${value}". ${didYouMean(value, names)}`.trim()))
  }
  check(['default'], 'owner', owners.default, known.ownerKeys)
  for (const [index, route] of (owners.routes ?? []).entries()) {
    const at = ['routes', index]
    check([...at, 'owner'], 'owner', route.owner, known.ownerKeys)
    check(
      [...at, 'when', 'kind'],
      'finding kind',
      route.when.kind,
      findingKinds.map((kind) => kind.kind),
    )
    check([...at, 'when', 'site'], 'site', route.when.site, known.siteKeys)
    if (known.connections) check([...at, 'when', 'connection'], 'connection', route.when.connection, known.connections)
    if (problems.length > 0) continue
    check(
      [...at, 'when', 'program'],
      'program',
      route.when.program,
      known.programs.map(({ program }) => program.key),
    )
    const expectations = known.programs.flatMap(({ program }) => program.expectations.map((expectation) => expectation.name))
    check([...at, 'when', 'expectation'], 'expectation', route.when.expectation, expectations)
  }
}
