import type { MiddlewareHandler } from 'hono'
import { AppError } from '../jobs/domain/errors.ts'

const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** A name that points here by DNS is not us: without this check any web page could rebind its own name and read everything. */
export function requireLoopbackHost(): MiddlewareHandler {
  return async (context, next) => {
    const host = hostnameOf(`http://${context.req.header('host') ?? ''}`)
    if (host === null || !loopbackNames.has(host)) {
      throw new AppError('forbidden', 'This server answers under localhost and 127.0.0.1 only, until sign-in exists.')
    }
    await next()
  }
}

/**
 * Nothing another site starts may change anything here. Browsers say where a request comes from by Sec-Fetch-Site, older ones by Origin;
 * a program that is no browser sends neither, and whoever runs one on this machine needs no help from a web page.
 */
export function refuseCrossSite(): MiddlewareHandler {
  return async (context, next) => {
    if (safeMethods.has(context.req.method)) return next()
    const site = context.req.header('sec-fetch-site')
    const origin = context.req.header('origin')
    const isForeignSite = site !== undefined && site !== 'same-origin' && site !== 'none'
    const isForeignOrigin = origin !== undefined && !isSameOrigin(origin, context.req.header('host') ?? '')
    if (isForeignSite || isForeignOrigin) throw new AppError('forbidden', 'A request from another site was refused. Nothing was changed.')
    await next()
  }
}

function isSameOrigin(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host
}

function hostnameOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null
}
