import { type Server, createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { toTransition, writeTransitions } from '../../db/records/transitions.ts'
import type { ConfiguredReports } from '../../jobs/configured-reports.ts'
import type { Workspace } from '../../jobs/open-workspace.ts'
import { closeDays } from '../../jobs/reports/close-days.ts'
import { Secrets } from '../../jobs/secrets.ts'
import { movedClock, type MovedClock, openPagedWorkspace } from './paged-workspace.ts'

export interface ReceivedMail {
  readonly to: readonly string[]
  readonly raw: string
}

export interface MailServer {
  readonly port: number
  readonly mails: ReceivedMail[]
  /** Called when the content is there; the answer is held until it resolves. An error refuses the mail. */
  onContent: (mail: ReceivedMail) => Promise<void>
  /** Called for each recipient. */
  onRecipient: (address: string) => Promise<void>
  close(): Promise<void>
}

export async function startMailServer(): Promise<MailServer> {
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    logger: false,
    onRcptTo: ({ address }, _, done) => {
      server.onRecipient(address).then(
        () => done(),
        (error: Error) => done(error),
      )
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const mail = { to: session.envelope.rcptTo.map(({ address }) => address), raw: Buffer.concat(chunks).toString('utf8') }
        server.onContent(mail).then(
          () => {
            server.mails.push(mail)
            done()
          },
          (error: Error) => done(error),
        )
      })
    },
  })
  smtp.on('error', () => {})
  await new Promise<void>((resolve) => {
    smtp.listen(0, '127.0.0.1', () => resolve())
  })
  const server: MailServer = {
    port: (smtp.server.address() as AddressInfo).port,
    mails: [],
    onContent: async () => {},
    onRecipient: async () => {},
    close: () => new Promise((resolve) => smtp.close(() => resolve())),
  }
  return server
}

/** A mail server that takes a mail's content and goes away without a word. */
export async function startVanishingMailServer(): Promise<{ readonly port: number; contents: number; close(): Promise<void> }> {
  const server = createTcpServer((socket) => {
    let isContent = false
    socket.on('error', () => {})
    socket.write('220 here\r\n')
    socket.setEncoding('utf8').on('data', (text: string) => {
      if (isContent) {
        if (!text.endsWith('\r\n.\r\n')) return
        vanishing.contents++
        socket.destroy()
        return
      }
      isContent = text.startsWith('DATA')
      socket.write(isContent ? '354 go on\r\n' : '250 well\r\n')
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve())
  })
  const vanishing = {
    port: (server.address() as AddressInfo).port,
    contents: 0,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
  return vanishing
}

export interface HookServer {
  readonly url: string
  readonly posts: { readonly headers: Readonly<Record<string, unknown>>; readonly body: string }[]
  status: number
  close(): Promise<void>
}

export async function startHookServer(): Promise<HookServer> {
  const http: Server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      hook.posts.push({ headers: request.headers, body })
      response.writeHead(hook.status, { location: 'http://127.0.0.1:1/elsewhere' }).end()
    })
  })
  await new Promise<void>((resolve) => {
    http.listen(0, '127.0.0.1', () => resolve())
  })
  const hook: HookServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/gaps`,
    posts: [],
    status: 204,
    close: () => new Promise((resolve) => http.close(() => resolve())),
  }
  return hook
}

export function reportsTo({
  mailPort,
  hookUrl,
  to,
}: {
  mailPort?: number
  hookUrl?: string
  to?: Record<string, string[]>
}): ConfiguredReports {
  return {
    atMinutes: 15,
    consoleUrl: null,
    mail:
      mailPort === undefined
        ? null
        : {
            secrets: new Secrets(new Map([['smtp', `smtp://127.0.0.1:${mailPort}`]])),
            from: 'reports@throughline.example',
            to: new Map(Object.entries(to ?? { messaging: ['lead@care.example', 'second@care.example'], quiet: ['quiet@care.example'] })),
          },
    webhooks: hookUrl === undefined ? [] : [{ name: 'ops', url: hookUrl, secrets: new Secrets(new Map([['secret', 'a-shared-secret']])) }],
  }
}

export interface ReportWorld {
  readonly workspace: Workspace
  readonly clock: MovedClock
  /** Findings open for an owner, or ended by its own id. */
  record(owner: string, count: number, ended?: boolean): Promise<void>
  closeNextDay(): Promise<void>
  close(): Promise<void>
}

/** A workspace without tools whose findings' transitions are written by hand. */
export async function openReportWorld(
  ownerUrl: string,
  reports: ConfiguredReports,
  allow: readonly string[],
  at = '2026-03-02T12:00:00Z',
): Promise<ReportWorld> {
  const clock = movedClock(at)
  const opened = await openPagedWorkspace({ ownerUrl, clock, tools: {} })
  const workspace = { ...opened, configuration: { ...opened.configuration, reports, egressAllow: allow } }
  let made = 0
  return {
    workspace,
    clock,
    record: async (owner, count, ended = false) => {
      const rows = Array.from({ length: count }, () => {
        const id = (++made).toString(16).padStart(32, '0')
        const now = clock.at
        const finding = {
          id,
          status: 'open' as const,
          program: 'visits',
          owner,
          site: null,
          kind: 'gap',
          regressions: 0,
          occurredAt: now,
          changedAt: now,
          closingEvidenceAt: null,
          waivedUntil: null,
        }
        const closed = { ...finding, status: 'verified' as const, closingEvidenceAt: now }
        return ended ? [toTransition(null, finding, now), toTransition(finding, closed, now)] : [toTransition(null, finding, now)]
      })
      await writeTransitions(workspace.database.sql, workspace.id, rows.flat())
    },
    closeNextDay: async () => {
      clock.at = Date.parse(`${new Date(clock.at).toISOString().slice(0, 10)}T00:20:00Z`) + 86_400_000
      await closeDays(workspace, 0)
    },
    close: () => opened.close(),
  }
}
