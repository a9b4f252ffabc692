import { z } from 'zod'
import type { ObjectRef, Ops } from '../domain/facts.ts'
import { text } from './record.ts'

/**
 * Which keys of a tool's free metadata are read, ours to theirs: `reference` is the subject's minted reference, `producer` the automation
 * that made the record, every other name an object type. All other keys are dropped.
 */
export const metadataMapSchema = z.record(z.string().regex(/^[a-z][a-z0-9_]*$/), z.string().min(1))
export type MetadataMap = z.infer<typeof metadataMapSchema>
/** Metadata keys kept as operational fields, ours to theirs. Only labels: nothing a person typed. */
export const metadataFieldsSchema = z.record(z.string().regex(/^[a-z][A-Za-z0-9_]*$/), z.string().min(1))

export interface MetadataReading {
  readonly reference: string | null
  readonly producer: string | null
  readonly objects: readonly ObjectRef[]
  readonly ops: Ops
}

const value = text.min(1).max(500)

export function readMetadata(
  metadata: Readonly<Record<string, unknown>> | null | undefined,
  map: MetadataMap,
  fields: MetadataMap = {},
): MetadataReading {
  const pick = (key: string | undefined) => {
    const parsed = key === undefined || !metadata || !Object.hasOwn(metadata, key) ? null : value.safeParse(String(metadata[key]))
    return parsed?.success ? parsed.data : null
  }
  const objects: ObjectRef[] = []
  for (const [type, key] of Object.entries(map)) {
    if (type === 'reference' || type === 'producer') continue
    const id = pick(key)
    if (id !== null) objects.push({ type, id })
  }
  return {
    reference: pick(map.reference),
    producer: pick(map.producer),
    objects,
    ops: Object.fromEntries(Object.entries(fields).map(([name, key]) => [name, pick(key)])),
  }
}
