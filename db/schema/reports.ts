import { bigint, boolean, date, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { hash, instant } from './columns.ts'
import type { FindingStatus } from './words.ts'

export const enteredWords = ['opened', 'regressed', 'reopened', 'waiver_expired'] as const
/** How a finding came to be open. */
export type Entered = (typeof enteredWords)[number]

/** One row per change that opens, ends or transfers a finding. The application may insert and read, nothing else. */
export const findingTransitions = pgTable(
  'finding_transitions',
  {
    workspaceId: integer('workspace_id').notNull(),
    n: bigint({ mode: 'number' }).generatedAlwaysAsIdentity().notNull(),
    findingId: hash('finding_id').notNull(),
    at: instant().notNull(),
    wasOpen: boolean('was_open').notNull(),
    isOpen: boolean('is_open').notNull(),
    entered: text().$type<Entered>(),
    ended: text().$type<FindingStatus>(),
    program: text(),
    owner: text().notNull(),
    site: text(),
    kind: text().notNull(),
    fromProgram: text('from_program'),
    fromOwner: text('from_owner'),
    fromSite: text('from_site'),
    fromKind: text('from_kind'),
    about: instant(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.n] })],
)

/** One row per closed day; never changed. */
export const reports = pgTable(
  'reports',
  {
    workspaceId: integer('workspace_id').notNull(),
    /** `2026-03-02`, in the workspace's zone. */
    day: date({ mode: 'string' }).notNull(),
    startsAt: instant('starts_at').notNull(),
    endsAt: instant('ends_at').notNull(),
    closedAt: instant('closed_at').notNull(),
    beforeN: bigint('before_n', { mode: 'number' }).notNull(),
    summary: jsonb().$type<unknown>().notNull(),
    body: jsonb().$type<unknown>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.day] })],
)

export const deliveryChannels = ['mail', 'webhook'] as const
export type DeliveryChannel = (typeof deliveryChannels)[number]

/** `unknown`: handed over, and the answer was lost; a person decides. `given_up`: refused for a day. */
export const deliveryStates = ['waiting', 'sending', 'sent', 'unknown', 'given_up', 'no_address'] as const
export type DeliveryState = (typeof deliveryStates)[number]

/** One row per mail and webhook of a day. Times are wall times. `target` is an owner or a webhook's name, never an address. */
export const reportDeliveries = pgTable(
  'report_deliveries',
  {
    workspaceId: integer('workspace_id').notNull(),
    day: date({ mode: 'string' }).notNull(),
    channel: text().$type<DeliveryChannel>().notNull(),
    target: text().notNull(),
    state: text().$type<DeliveryState>().notNull(),
    messageId: text('message_id').notNull(),
    attempts: integer().notNull(),
    nextAt: instant('next_at'),
    claimedUntil: instant('claimed_until'),
    sentAt: instant('sent_at'),
    reason: text(),
  },
  (table) => [primaryKey({ columns: [table.workspaceId, table.day, table.channel, table.target] })],
)
