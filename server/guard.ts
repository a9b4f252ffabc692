import type { MiddlewareHandler } from 'hono'
import { AppError } from '../jobs/domain/errors.ts'
import { isLoopback, isWithin, peerAddress } from './client-address.ts'
import type { SignIn } from './deps.ts'

const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

type Guarded = Pick<SignIn, 'publicUrl' | 'trustedProxies'> | undefined

/** A name that points here by DNS is not us: without this check any web page could rebind its own name and read everything. */
export function requireKnownHost(signIn: Guarded): MiddlewareHandler {
  const publicHost = signIn?.publicUrl?.host ?? null
  return async (context, next) => {
    const given = context.req.header('host') ?? ''
    const host = hostnameOf(`http://${given}`)
    const isKnown = host !== null && (loopbackNames.has(host) || given.toLowerCase() === publicHost)
    if (!isKnown) {
      throw new AppError(
        'forbidden',
        publicHost === null
          ? 'This server answers under localhost and 127.0.0.1 only. To reach it from elsewhere, set THROUGHLINE_PUBLIC_URL.'
          : `This server answers under ${publicHost} only: the proxy must pass the Host header on.`,
      )
    }
    await next()
  }
}

/** With a public address, everything comes by the proxy that ends TLS: what comes another way, or was not encrypted, is refused. */
export function requireProxy(signIn: Guarded): MiddlewareHandler {
  return async (context, next) => {
    const peer = peerAddress(context)
    if (signIn?.publicUrl && peer !== null) {
      const isProxy = isWithin(peer, signIn.trustedProxies)
      if (!isProxy && !isLoopback(peer)) throw new AppError('forbidden', `This server is reached at ${signIn.publicUrl.origin}.`)
      if (isProxy && (context.req.header('x-forwarded-proto') ?? 'https') !== 'https')
        throw new AppError('forbidden', `This came without encryption. Use ${signIn.publicUrl.origin}.`)
    }
    await next()
  }
}

/**
 * Nothing another site starts may change anything here, whatever its method and content type. Browsers say where a request comes from by
 * Sec-Fetch-Site, older ones by Origin; a program that is no browser sends neither. A bearer token no page can send from elsewhere.
 */
export function refuseCrossSite(signIn: Guarded): MiddlewareHandler {
  return async (context, next) => {
    if (safeMethods.has(context.req.method)) return next()
    if (signIn !== undefined && /^bearer /i.test(context.req.header('authorization') ?? '')) return next()
    const site = context.req.header('sec-fetch-site')
    const origin = context.req.header('origin')
    const isForeignSite = site !== undefined && site !== 'same-origin' && site !== 'none'
    const isForeignOrigin = origin !== undefined && !isSameOrigin(origin, context.req.header('host') ?? '', signIn?.publicUrl ?? null)
    if (isForeignSite || isForeignOrigin) throw new AppError('forbidden', 'A request from another site was refused. Nothing was changed.')
    await next()
  }
}

/** The scheme counts where we know it: behind a proxy the page is https. */
function isSameOrigin(origin: string, host: string, publicUrl: URL | null): boolean {
  if (!URL.canParse(origin)) return false
  const from = new URL(origin)
  if (publicUrl !== null && host.toLowerCase() === publicUrl.host) return from.origin === publicUrl.origin
  return from.host === host
}

function hostnameOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null
}
