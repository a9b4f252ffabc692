import { z } from 'zod'
import { durationMeaning, durationPattern, explainDuration } from './domain/duration.ts'
import { severities } from './domain/program.ts'
import { wrongLink } from './record-link.ts'

/** The shapes of connections.yaml and owners.yaml, published under docs/schemas/. The descriptions are also the "expected …" of error messages. */

const key = (what: string) =>
  z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/, {
    error: () => `expected ${what}: lower-case letters, digits, \`-\` and \`_\`, starting with a letter`,
  })
const duration = z
  .string()
  .regex(durationPattern, { error: (issue) => explainDuration(String(issue.input)) })
  .describe(durationMeaning)

const secret = z
  .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })])
  .describe('where the secret is kept, never the secret itself: { env: NAME_OF_VARIABLE } or { file: path/to/file }')

export const connectionSchema = z
  .strictObject({
    connector: z.string().describe('the id of a connector, such as stripe or file-drop'),
    title: z.string().optional().describe('a short text for the console'),
    poll_every: duration.optional(),
    blind_after: duration.optional(),
    owner: z.string().optional().describe('the key of an owner of owners.yaml'),
    config: z.record(z.string(), z.unknown()).optional().describe('the settings of the connector'),
    links: z
      .record(
        z.string(),
        z.string().refine((text) => wrongLink(text) === null, {
          error: (issue) =>
            `"${String(issue.input)}" ${wrongLink(String(issue.input)) ?? ''}; expected an address such as https://ehr.example/visits/{id}`,
        }),
      )
      .optional()
      .describe('where a person opens a record: an address with {id} for each stream, instead of those the connector knows'),
    site: z.string().optional().describe('the key of a site of owners.yaml: that of all its records which state no other'),
    site_from: z
      .record(z.string(), z.string())
      .optional()
      .describe('for a stream, the field in which its records state their site, such as { bookings: clinic }'),
    secrets: z.record(z.string(), secret).optional().describe('a block of secrets, each { env: NAME } or { file: path }'),
  })
  .describe('a connection: { connector: stripe, config: {…}, secrets: { api_key: { env: STRIPE_KEY } } }')

export const connectionsFileSchema = z
  .strictObject({
    workspace: z
      .strictObject({
        key: key('a workspace key').optional().describe('a short stable key of the workspace'),
        title: z.string().min(1).describe('the name of your organisation'),
        time_zone: z.string().optional().describe('a time zone such as America/New_York'),
        default_country: z
          .string()
          .regex(/^[A-Z]{2}$/, { error: () => 'expected a country code of two capital letters, such as US or IT' })
          .optional()
          .describe('a country code of two capital letters, such as US, by which phone numbers without a country are read'),
      })
      .describe('the workspace: { title: Acme clinic, time_zone: America/New_York, default_country: US }'),
    connections: z.record(z.string(), connectionSchema).describe('the connections: a name for each tool, with its connector and settings'),
    dead_man: z
      .strictObject({
        url: secret,
        every: duration.optional(),
        fail_path: z
          .string()
          .regex(/^\/?[\w./-]+$/, { error: () => 'expected a path such as /fail' })
          .optional()
          .describe('added to the address while something stands still, such as /fail; without it nothing is sent then'),
      })
      .optional()
      .describe('{ url: { env: CHECK_URL }, every: 1m, fail_path: /fail }: an address outside that is asked for while all goes on'),
    egress: z
      .strictObject({ allow: z.array(z.string()).describe('a list of exact host:port, such as ["127.0.0.1:4411"]') })
      .optional()
      .describe('{ allow: ["host:port"] }: private addresses that connections may reach'),
  })
  .describe('the keys workspace and connections')

/** The same with the connections unread, so that a mistake in one does not hide the others. */
export const connectionsFrameSchema = connectionsFileSchema.extend({
  connections: z.record(z.string(), z.unknown()).describe('the connections: a name for each tool, with its connector and settings'),
})

export const ownersFileSchema = z
  .strictObject({
    owners: z
      .record(z.string(), z.strictObject({ title: z.string().optional() }).nullable().describe('an owner: { title: Care operations }'))
      .describe('the owners: a key for each, such as care-operations: { title: Care operations }'),
    sites: z
      .record(
        z.string(),
        z
          .strictObject({
            title: z.string().optional().describe('a short text for the console'),
            known_as: z.array(z.string().min(1)).optional().describe('what the tools call it, such as ["loc_12", "Riverside"]'),
          })
          .nullable()
          .describe('a site: { title: Riverside clinic, known_as: [loc_12] }'),
      )
      .optional()
      .describe('the sites: a key for each location, brand or team, such as riverside: { title: Riverside clinic }'),
    routes: z
      .array(
        z
          .strictObject({
            when: z
              .strictObject({
                kind: z.string().optional().describe('a finding kind, such as gap'),
                program: z.string().optional().describe('the key of a program'),
                expectation: z.string().optional().describe('the name of an expectation'),
                connection: z.string().optional().describe('the name of a connection'),
                severity: z
                  .enum(severities)
                  .optional()
                  .describe(`one of ${severities.join(', ')}`),
                site: z.string().optional().describe('the key of a site declared under `sites`'),
              })
              .describe('conditions such as { kind: gap, connection: texts }'),
            owner: z.string().describe('the key of an owner declared under `owners`'),
          })
          .describe('a route: { when: { kind: gap }, owner: messaging }'),
      )
      .optional()
      .describe('a list of routes; the first that fits wins'),
    default: z.string().describe('the key of the owner who gets what no route fits'),
  })
  .describe('the keys owners and default')
