import type { ConnectorRow } from '#lib/api-types.ts'
import type { ConnectorGuide } from './guides.ts'

type Schema = Readonly<Record<string, unknown>>
const block = (value: unknown): Schema => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : {})

/**
 * What to write into connections.yaml for one connector: settings that must be given with something to replace, the
 * others as comments with their defaults, secrets only by the variable that holds them.
 */
export function connectionYaml(
  { id, title, secrets, configSchema }: Pick<ConnectorRow, 'id' | 'title' | 'secrets'> & { readonly configSchema: Schema },
  guide?: ConnectorGuide,
): string {
  const lines = [
    'connections:',
    `  ${guide?.name ?? id}:`,
    `    connector: ${id}`,
    `    title: ${title}`,
    '    poll_every: 5m',
    '    blind_after: 1h',
  ]
  const properties = Object.entries(block(configSchema.properties))
  const required = Array.isArray(configSchema.required) ? configSchema.required.map(String) : []
  const given =
    id === 'file-drop'
      ? fileLines
      : properties.filter(([name]) => required.includes(name)).map(([name]) => `      ${name}: ${guide?.examples[name] ?? `REPLACE-THIS`}`)
  const others = properties
    .filter(([name]) => !required.includes(name))
    .map(([name, schema]) => `      # ${name}: ${defaultOf(block(schema))}`)
  if (given.length > 0) lines.push('    config:', ...given, ...others)
  else if (others.length > 0) lines.push('    # config:', ...others.map((line) => line.replace('      # ', '    #   ')))
  if (secrets.length > 0)
    lines.push('    secrets:', ...secrets.map((secret) => `      ${secret}: { env: ${variableFor(guide?.name ?? id, secret)} }`))
  return `${lines.join('\n')}\n`
}

/** `BILLING_API_KEY` */
export const variableFor = (connection: string, secret: string): string =>
  `${connection}_${secret}`.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')

const defaultOf = (schema: Schema): string =>
  'default' in schema ? JSON.stringify(schema.default) : `a ${String(schema.type ?? 'value')}, if you need it`

const fileLines = `      files:
        - stream: payments
          path: exports/payments.csv
          zone: America/New_York
          id: payment_id
          time: paid_at
          event: payment
          status: status
          subject: { email: customer_email }`.split('\n')
