import type { JourneyDetail, JourneyEvent } from '../api-types.ts'

type Link = JourneyDetail['links'][number]

export interface ShownLink {
  /** Ids of events. */
  from: string
  to: string
  rule: string
  isInferred: boolean
}

const rules: Readonly<Record<string, { title: string; short: string }>> = {
  first: { title: 'first record of this person', short: 'first' },
  must_link: { title: 'a person’s decision', short: 'decided' },
  object: { title: 'the same object', short: 'same object' },
  reference: { title: 'a reference it carries', short: 'reference' },
  external: { title: 'the same id in the other tool', short: 'same id' },
  name_birth_date: { title: 'the same name and date of birth', short: 'name and birth' },
  email: { title: 'the same e-mail', short: 'e-mail' },
  phone: { title: 'the same phone', short: 'phone' },
}

/** How records came to belong together, in words. The identifiers themselves are kept only as keyed hashes. */
export const ruleTitle = (rule: string): string => rules[rule]?.title ?? rule.replaceAll(/[._-]+/g, ' ')

/** How sure a link is: shown to be the same person, or only the one candidate there was. */
export const sureness = (link: Pick<Link, 'inferred' | 'rule'>): string =>
  link.inferred ? 'inferred' : link.rule === 'first' ? '' : 'certain'

const recordKey = (stream: string, externalId: string) => `${stream} ${externalId}`

/** Why the record of an event belongs here. */
export function linkOf(links: readonly Link[], event: Pick<JourneyEvent, 'stream' | 'externalId'>): Link | undefined {
  return links.find((link) => link.stream === event.stream && link.externalId === event.externalId)
}

/** Links between the records of events, each from its record's first event; all of them, or those of one record. */
export function shownLinks(
  links: readonly Link[],
  events: readonly JourneyEvent[],
  about?: Pick<JourneyEvent, 'stream' | 'externalId'>,
): ShownLink[] {
  const first = new Map<string, string>()
  for (const event of events) {
    const key = recordKey(event.stream, event.externalId)
    if (!first.has(key)) first.set(key, event.id)
  }
  const own = about && recordKey(about.stream, about.externalId)
  return links.flatMap((link) => {
    const key = recordKey(link.stream, link.externalId)
    if (link.via === null || (own !== undefined && own !== key && own !== link.via)) return []
    const [from, to] = [first.get(link.via), first.get(key)]
    return from && to && from !== to ? [{ from, to, rule: rules[link.rule]?.short ?? link.rule, isInferred: link.inferred }] : []
  })
}
