import { z } from 'zod'
import { connectionsFileSchema, ownersFileSchema } from './configuration-schema.ts'
import { auditFileSchema } from './configured-audit.ts'
import { reportsFileSchema } from './configured-reports.ts'
import { programSchema } from './domain/program-schema.ts'
import { runbookSchema } from './domain/runbook-schema.ts'

export const publishedSchemaNames = ['program', 'runbook', 'connections', 'owners', 'reports', 'audit'] as const
export type PublishedSchemaName = (typeof publishedSchemaNames)[number]

const sources: Readonly<Record<PublishedSchemaName, { readonly title: string; readonly schema: z.ZodType }>> = {
  program: { title: 'Throughline program', schema: programSchema },
  runbook: { title: 'Throughline runbook', schema: runbookSchema },
  connections: { title: 'Throughline connections.yaml', schema: connectionsFileSchema },
  owners: { title: 'Throughline owners.yaml', schema: ownersFileSchema },
  reports: { title: 'Throughline reports.yaml', schema: reportsFileSchema },
  audit: { title: 'Throughline audit.yaml', schema: auditFileSchema },
}

/** The JSON Schema (2020-12) of one kind of configuration file, for editors. docs/schemas/ holds the current ones. */
export function publishedSchema(name: PublishedSchemaName): Record<string, unknown> {
  const { title, schema } = sources[name]
  return { $id: `urn:throughline:schema:${name}`, title, ...z.toJSONSchema(schema, { io: 'input' }) }
}

export function publishedSchemaText(name: PublishedSchemaName): string {
  return `${JSON.stringify(publishedSchema(name), null, 2)}\n`
}
