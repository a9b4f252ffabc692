const slot = '{id}'

/** Why a text is no template of a link, in words after "…"; null: it is one. */
export function wrongLink(template: string): string | null {
  if (!template.includes(slot)) return `has no ${slot}, which stands for the record's id`
  const link = fill(template, 'x')
  if (link === null) return 'is no http or https address'
  return new URL(link).host === new URL(fill(template, 'y') ?? link).host
    ? null
    : `has ${slot} in its host; it belongs into the path or the query`
}

/** The address at which a person opens a record in its tool; built when viewed and never stored, since an address may say more than an id. */
export function recordLink(template: string | undefined, externalId: string): string | null {
  return template === undefined || externalId === '' || wrongLink(template) !== null ? null : fill(template, externalId)
}

function fill(template: string, id: string): string | null {
  const url = URL.parse(template.replaceAll(slot, () => encodeURIComponent(id)))
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.password === ''
    ? url.href
    : null
}
