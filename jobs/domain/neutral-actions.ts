import { z } from 'zod'
import { duration, name } from './program-schema.ts'
import { runbookRoles } from './runbook.ts'
import type { KnownAction } from './runbook.ts'

/** Actions that belong to no tool. What people are asked is closed: an answer is stored, so it is never a free text. */

const sentence = (meaning: string) => z.string().trim().min(1).max(300).describe(meaning)
const owner = name('the key of an owner of owners.yaml; left out: the owner of the finding')
const role = z.enum(runbookRoles).describe(`one of ${runbookRoles.join(', ')}`)

export const defaultAnswers = ['done', 'not-possible'] as const
export const defaultAskWithin = '24h'

const wait = z
  .strictObject({
    for: duration.optional(),
    until: z.iso.datetime({ offset: true }).optional().describe('a time, mostly an input: $start'),
  })
  .refine((input) => (input.for === undefined) !== (input.until === undefined), {
    error: 'expected either `for: 10m` or `until: $time`',
  })

/** Of which connections is planned: those of the finding. */
const recheck = z.strictObject({})

const askPerson = z.strictObject({
  question: sentence('one sentence that asks for something a person does or knows'),
  answers: z
    .array(name('an answer'))
    .min(1)
    .max(8)
    .default([...defaultAnswers])
    .describe('a closed list of answers, such as [done, not-possible]'),
  of: owner.optional(),
  within: duration.default(defaultAskWithin),
})

const askApproval = z.strictObject({
  question: sentence('one sentence: what is approved').optional(),
  by: role.default('approver'),
  within: duration.default('4h'),
})

const ticket = z.strictObject({ title: sentence('the title of the ticket'), to: owner.optional() })
const mail = z.strictObject({ subject: sentence('the subject of the mail'), to: owner.optional() })
const webhook = z.strictObject({ event: name('what happened, in one word such as recovery-started'), to: owner.optional() })

function neutral(spec: Omit<KnownAction, 'verifyBy' | 'repeat'>): KnownAction {
  return { ...spec, repeat: null, verifyBy: null }
}

export const neutralActions: readonly KnownAction[] = [
  neutral({
    name: 'wait',
    title: 'Wait',
    does: 'Waits for a time, or until one.',
    reach: 'none',
    input: wait,
  }),
  neutral({
    name: 'recheck',
    title: 'Look again',
    does: 'Reads the streams of the finding again and ends the run here when the promise is kept by now.',
    reach: 'none',
    input: recheck,
  }),
  neutral({
    name: 'ask-person',
    title: 'Ask a person',
    does: 'Puts a question with a closed list of answers to the owner of the finding, or to another one that is named.',
    reach: 'none',
    input: askPerson,
  }),
  neutral({
    name: 'ask-approval',
    title: 'Ask for approval',
    does: 'Goes on only when somebody other than the requester approves what comes next.',
    reach: 'none',
    input: askApproval,
  }),
  neutral({
    name: 'ticket',
    title: 'Open a ticket',
    does: 'Opens a ticket by the signed webhook of an owner; it carries the link of the finding and nothing about the person.',
    reach: 'notice',
    input: ticket,
  }),
  neutral({
    name: 'mail',
    title: 'Send an e-mail to an owner',
    does: 'Sends the owner an e-mail with the link of the finding and nothing about the person.',
    reach: 'notice',
    input: mail,
  }),
  neutral({
    name: 'webhook',
    title: 'Call a signed webhook',
    does: 'Calls the signed webhook of an owner with the id of the finding and nothing about the person.',
    reach: 'notice',
    input: webhook,
  }),
]

export const neutralActionByName: ReadonlyMap<string, KnownAction> = new Map(neutralActions.map((action) => [action.name, action]))

/** Actions that can fail: waiting, looking and asking for approval end the run or go on, so a fallback there is never reached. */
export const canFail = (action: string): boolean => !['wait', 'recheck', 'ask-approval'].includes(action)
