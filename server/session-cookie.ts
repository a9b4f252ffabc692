import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import type { SignIn } from './deps.ts'

/**
 * The cookie of a session. Over https `__Host-`: of this origin alone, and only ever sent encrypted. On loopback there is no https; two
 * servers of one machine share their cookies whatever the port, so the port is in the name.
 */
export function readSessionCookie(context: Context, signIn: SignIn): string | undefined {
  return getCookie(context, nameOf(context, signIn, 'session'))
}

export function writeSessionCookie(context: Context, signIn: SignIn, token: string, maxAgeMs: number): void {
  write(context, signIn, 'session', token, maxAgeMs)
}

export function dropSessionCookie(context: Context, signIn: SignIn): void {
  write(context, signIn, 'session', '', 0)
}

/** By it a browser is known in which this account signed in before; it opens nothing. */
export function readDeviceCookie(context: Context, signIn: SignIn, account: string): string | null {
  const [device = '', mark = ''] = (getCookie(context, nameOf(context, signIn, 'device')) ?? '').split('.')
  return device !== '' && signIn.vault.isSigned('device', `${device} ${account.trim().toLowerCase()}`, mark) ? device : null
}

export function writeDeviceCookie(context: Context, signIn: SignIn, account: string, device: string): void {
  const mark = signIn.vault.sign('device', `${device} ${account.trim().toLowerCase()}`)
  write(context, signIn, 'device', `${device}.${mark}`, 180 * 24 * 3_600_000)
}

function write(context: Context, signIn: SignIn, what: 'session' | 'device', value: string, maxAgeMs: number): void {
  setCookie(context, nameOf(context, signIn, what), value, {
    path: '/',
    httpOnly: true,
    sameSite: 'Strict',
    secure: signIn.publicUrl !== null,
    maxAge: Math.floor(maxAgeMs / 1000),
  })
}

function nameOf(context: Context, { publicUrl }: SignIn, what: 'session' | 'device'): string {
  if (publicUrl !== null) return `__Host-throughline-${what}`
  const port = /:(\d+)$/.exec(context.req.header('host') ?? '')?.[1] ?? '80'
  return `throughline-${what}-${port}`
}
