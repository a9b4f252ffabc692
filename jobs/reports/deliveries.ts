import type { DeliveryChannel } from '../../db/schema/reports.ts'
import type { ConfiguredReports } from '../configured-reports.ts'
import { hash128 } from '../domain/hash.ts'
import { linesBy } from '../domain/report/balance.ts'
import type { Report } from '../domain/report/report.ts'

export interface NewDelivery {
  readonly channel: DeliveryChannel
  readonly target: string
  /** From workspace, day and target alone: sent again it is the same message. */
  readonly messageId: string
  readonly hasAddress: boolean
}

const webhookDays = 31

/**
 * Who gets a report: each owner with something open at the end of the day, and each webhook.
 * @param daysAfter days that are closed after it at the same time: of several that were missed, only the last is worth a mail.
 */
export function deliveriesOf(
  report: Report,
  { workspaceKey, reports }: { readonly workspaceKey: string; readonly reports: ConfiguredReports },
  daysAfter: number,
): readonly NewDelivery[] {
  const idOf = (channel: DeliveryChannel, target: string) => hash128('report', workspaceKey, report.day, channel, target)
  const { mail, webhooks } = reports
  const owners =
    mail === null || daysAfter > 0
      ? []
      : linesBy(report.balance, ({ owner }) => owner)
          .filter(({ line }) => line.closing > 0)
          .map(({ key }): NewDelivery => ({ channel: 'mail', target: key, messageId: idOf('mail', key), hasAddress: mail.to.has(key) }))
  const posts = daysAfter > webhookDays ? [] : webhooks
  return [
    ...owners,
    ...posts.map(({ name }): NewDelivery => ({ channel: 'webhook', target: name, messageId: idOf('webhook', name), hasAddress: true })),
  ]
}
