import type { JourneyDetail, JourneyEvent } from '../api-types.ts'

type Link = JourneyDetail['links'][number]

export interface ShownLink {
  /** Ids of events. */
  from: string
  to: string
  rule: string
  isInferred: boolean
}

const rules: Readonly<Record<string, string>> = {
  first: 'first record of this person',
  email: 'same e-mail',
  phone: 'same phone',
  external: 'same id in the other tool',
  object: 'names the same object',
  person: 'decided by a person',
}

/** How records came to belong together, in words. The identifiers themselves are kept only as keyed hashes. */
export const ruleTitle = (rule: string): string => rules[rule] ?? rule.replaceAll(/[._-]+/g, ' ')

/** How sure a link is: what was matched is certain; what was only likely says so. */
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
    return from && to && from !== to ? [{ from, to, rule: ruleTitle(link.rule), isInferred: link.inferred }] : []
  })
}
