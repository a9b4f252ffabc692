import { api } from '../api.ts'
import type { Me, Permission } from '../api-types.ts'
import { paths } from '../paths.ts'
import { Resource } from '../resource.svelte.ts'

const sayEveryMs = 60_000

/** Pages one sees without being signed in; they have no frame. */
export const isOutside = (pathname: string): boolean => pathname === '/sign-in' || pathname === '/join'

/** Who is signed in here, and what they may do. */
class Myself {
  resource = new Resource<Me>((signal) => api.me(signal))
  #saidAt = 0

  get data(): Me | undefined {
    return this.resource.data
  }

  /** Whether it was answered who is here; not to be known is no reason to show nothing. */
  get isKnown(): boolean {
    return this.resource.data !== undefined || (this.resource.problem !== undefined && this.resource.problem.status !== 401)
  }

  may(permission: Permission): boolean {
    return this.resource.data?.can.includes(permission) ?? true
  }

  /** A person touched something: a session ends after half an hour without. What the page asks by itself does not count. */
  noteActivity(): void {
    if (this.data?.by !== 'session' || Date.now() - this.#saidAt < sayEveryMs) return
    this.#saidAt = Date.now()
    void api.seen().catch(() => {})
  }
}

export const me = new Myself()

/** Loads all anew as whoever is signed in then. */
export function enter(to: string | null): void {
  location.assign(within(to))
}

export async function signOut(): Promise<void> {
  await api.signOut().catch(() => {})
  location.assign(paths.signIn())
}

/** Only an address of this console: what stands in a link someone sent leads nowhere else. */
export function within(to: string | null): string {
  if (to === null || !to.startsWith('/') || !URL.canParse(to, location.origin)) return paths.overview()
  const url = new URL(to, location.origin)
  return url.origin === location.origin && !isOutside(url.pathname) ? url.pathname + url.search + url.hash : paths.overview()
}
