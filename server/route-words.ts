import type { Configuration } from '../jobs/configuration.ts'
import type { OwnerRoute } from '../jobs/domain/finding.ts'
import { findingKinds } from '../jobs/domain/finding-kinds/index.ts'

type Known = Pick<Configuration, 'connections' | 'programs' | 'sites'>

/** `Blind findings from Stripe`, `critical findings at Hillside clinic`: one route of owners.yaml as people say it. */
export function routeInWords({ when }: OwnerRoute, { connections, programs, sites }: Known): string {
  const kind = when.kind === undefined ? undefined : (findingKinds.find((each) => each.kind === when.kind)?.title ?? when.kind)
  const titled = (key: string | undefined, list: readonly { readonly key: string; readonly title: string }[]) =>
    key === undefined ? undefined : (list.find((each) => each.key === key)?.title ?? key)
  const connection = titled(
    when.connection,
    connections.map(({ id, title }) => ({ key: id, title })),
  )
  const program = titled(
    when.program,
    programs.map((each) => each.program),
  )
  const site = titled(when.site, sites ?? [])
  const words = [
    ...(when.severity === undefined ? [] : [when.severity]),
    kind === undefined ? 'findings' : `findings of the kind “${kind}”`,
    ...(when.expectation === undefined ? [] : [`about the promise “${when.expectation}”`]),
    ...(program === undefined ? [] : [`in the program “${program}”`]),
    ...(connection === undefined ? [] : [`from ${connection}`]),
    ...(site === undefined ? [] : [`at ${site}`]),
  ].join(' ')
  const sentence = Object.keys(when).length === 0 ? 'all findings' : words
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}
