import { z } from 'zod'
import { unlessMissing } from '../../act.ts'
import type { ActContext } from '../../connector.ts'
import { readEnvelope } from '../../pass.ts'
import { text } from '../../record.ts'
import type { FhirConfig } from '../index.ts'

type Context = ActContext<FhirConfig>

export const fhirJson = 'application/fhir+json'

/** https://hl7.org/fhir/R4/datatypes.html#id */
export const resourceId = z.string().regex(/^[A-Za-z0-9.-]{1,64}$/)

const reference = z.object({ reference: text.nullish() })
const resourceSchema = z.object({
  resourceType: text,
  id: text,
  meta: z.object({ versionId: text.nullish() }).nullish(),
  status: text.nullish(),
  subject: reference.nullish(),
  for: reference.nullish(),
  participant: z.array(z.object({ actor: reference.nullish() })).nullish(),
})
export type Resource = z.infer<typeof resourceSchema>

/** A resource as the server shows it now; null: it knows none, or it was deleted. @throws ToolError */
export async function readResource(ctx: Context, type: string, id: string): Promise<Resource | null> {
  const what = { what: type, signal: ctx.signal, headers: { accept: fhirJson } }
  const response = await unlessMissing(ctx.http.get(`${type}/${encodeURIComponent(id)}`, what))
  return response === null ? null : readEnvelope(ctx, resourceSchema, response.json, type)
}

/** The resource of that type an answer to a write shows; null: it shows none, such as an OperationOutcome. */
export function resourceIn(json: unknown, type: string): Resource | null {
  const found = resourceSchema.safeParse(json)
  return found.success && found.data.resourceType === type ? found.data : null
}

export const unknownResource = (ctx: Context, type: string, id: string) =>
  `The server (${ctx.connection}) knows no ${type} ${id}: it was deleted, or is of another connection.`

/** `Patient/…` of whoever a resource is about; null: it does not say. */
export function patientOf(resource: Resource): string | null {
  if (resource.resourceType === 'Patient') return `Patient/${resource.id}`
  const references = [resource.subject, resource.for, ...(resource.participant ?? []).map(({ actor }) => actor)]
  for (const one of references) {
    const found = /(?:^|\/)(Patient\/[A-Za-z0-9.-]{1,64})(?:\/_history\/.*)?$/.exec(one?.reference ?? '')
    if (found?.[1]) return found[1]
  }
  return null
}
