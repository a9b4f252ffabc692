import { isIP } from 'node:net'
import { Readable } from 'node:stream'
import MailComposer from 'nodemailer/lib/mail-composer'
import SMTPConnection from 'nodemailer/lib/smtp-connection'
import { ToolError } from '../connectors/connector.ts'
import { endpointOf } from '../connectors/guard.ts'
import { checkedAddress, type Resolve } from '../connectors/guarded-connect.ts'

export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly subject: string
  readonly text: string
  readonly html: string
  /** The same however often it is sent. */
  readonly messageId: string
  /** Wall time, epoch ms. */
  readonly date: number
}

export type Handover =
  /** The server took it. `refused`: recipients it did not take. */
  | { readonly kind: 'sent'; readonly refused: number }
  /** Nothing was sent, for certain. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It was handed over and the answer was lost. */
  | { readonly kind: 'unknown'; readonly reason: string }

export interface MailDeps {
  readonly allow: ReadonlySet<string>
  readonly resolve?: Resolve
  readonly timeoutMs?: number
}

/**
 * Hands one mail to the server of an `smtp(s)://user:password@host:port` address, through the egress guard. `beforeContent` runs when the
 * server is ready for the content and before any of it is sent; false: nothing is. Reasons hold no address: servers quote them.
 */
export async function sendMail(smtpUrl: string, mail: Mail, beforeContent: () => Promise<boolean>, deps: MailDeps): Promise<Handover> {
  const server = readServer(smtpUrl)
  if (server === null)
    return { kind: 'refused', reason: 'The secret of the mail server is no address such as smtps://user:password@host:465.' }
  const { url, isSecure } = server
  const fail = (reason: ToolError['reason'], what: string) => new ToolError(reason, `The mail server: ${what}`)
  let address: string
  try {
    address = await checkedAddress(url, { allow: deps.allow, fail, ...(deps.resolve === undefined ? {} : { resolve: deps.resolve }) })
  } catch (error) {
    if (error instanceof ToolError) return { kind: 'refused', reason: error.message }
    throw error
  }
  const timeoutMs = deps.timeoutMs ?? 20_000
  const connection = new SMTPConnection({
    host: address,
    port: Number(url.port),
    secure: isSecure,
    // In clear only to servers that the file configuration names.
    requireTLS: !isSecure && !deps.allow.has(endpointOf(url)),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    ...(isIP(url.hostname) ? {} : { servername: url.hostname }),
    logger: false,
  })
  let isHandedOver = false
  try {
    return await converse()
  } catch (error) {
    const reason = reasonOf(error)
    return isHandedOver && !isAnswered(error) ? { kind: 'unknown', reason } : { kind: 'refused', reason }
  } finally {
    connection.close()
  }

  async function converse(): Promise<Handover> {
    const failed = new Promise<never>((_, reject) => connection.once('error', reject))
    failed.catch(() => {})
    const step = <T>(run: (done: (error?: Error | null, result?: T) => void) => void) =>
      Promise.race([
        new Promise<T | undefined>((resolve, reject) => run((error, result) => (error ? reject(error) : resolve(result)))),
        failed,
      ])
    await step((done) => connection.connect(done))
    if (url.username) {
      const credentials = { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) }
      await step((done) => connection.login({ credentials }, done))
    }
    const raw = await compose(mail)
    const content = Readable.from(
      (async function* () {
        if (!(await beforeContent())) throw new NotMine()
        isHandedOver = true
        yield raw
      })(),
    )
    const sent = await step<{ rejected?: readonly unknown[] }>((done) =>
      connection.send({ from: mail.from, to: [...mail.to] }, content, done),
    )
    return { kind: 'sent', refused: sent?.rejected?.length ?? 0 }
  }
}

/** Another process has this mail by now. */
class NotMine extends Error {}

function readServer(text: string): { url: URL; isSecure: boolean } | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  const isSecure = url.protocol === 'smtps:'
  if ((!isSecure && url.protocol !== 'smtp:') || url.hostname === '') return null
  if (url.port === '') url.port = isSecure ? '465' : '587'
  return { url, isSecure }
}

async function compose(mail: Mail): Promise<Buffer> {
  const composer = new MailComposer({
    from: { name: 'Throughline', address: mail.from },
    to: [...mail.to],
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    messageId: mail.messageId,
    date: new Date(mail.date),
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return composer.compile().build()
}

function isAnswered(error: unknown): boolean {
  const { responseCode } = error as { responseCode?: unknown }
  return typeof responseCode === 'number'
}

/** What happened, in our words: the server's own may quote an address. */
function reasonOf(error: unknown): string {
  const { responseCode, command, code } = error as { responseCode?: unknown; command?: unknown; code?: unknown }
  const at = typeof command === 'string' && /^[A-Z ]{2,20}$/.test(command) ? ` at ${command}` : ''
  if (typeof responseCode === 'number') return `The mail server refused it (${responseCode}${at}).`
  const why = typeof code === 'string' && /^[A-Z0-9_]{3,40}$/.test(code) ? code : 'no answer'
  return `The mail server could not be reached or went away (${why}${at}).`
}
