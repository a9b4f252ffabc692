import { openVault } from '../../jobs/vault.ts'
import { sealing } from '../../db/records/audit.ts'
import { addPerson } from '../../db/records/people.ts'
import type { Role } from '../../jobs/domain/people/roles.ts'
import { createApp } from '../../server/app.ts'
import { newId } from '../../server/commands/people/secret-token.ts'
import type { AppDeps, SignIn } from '../../server/deps.ts'
import { headers } from './served-clinic.ts'

type App = ReturnType<typeof createApp>

/** A clock of the wall that tests move. */
export interface Wall {
  at: number
}

export interface SignedInWorld {
  readonly app: App
  readonly deps: AppDeps
  readonly wall: Wall
  /** Adds a person who signs in by `password`. */
  addPerson(name: string, roles: readonly Role[]): Promise<Known>
  /** Signs in; a browser that keeps its cookies. */
  signIn(who: Known): Promise<Browser>
  /** One that nobody signed in with. */
  browser(): Browser
}

export interface Known {
  readonly id: string
  readonly email: string
}

/** What a browser does: keeps cookies and says where its requests come from. */
export interface Browser {
  readonly cookies: Map<string, string>
  /** Where it stands, for the guards of guesses. */
  address: string
  get(path: string): Promise<Response>
  send(method: string, path: string, body?: unknown, more?: Record<string, string>): Promise<Response>
}

export const password = 'river stone lamp nine'
/** Of `password`, once for all people of all tests: argon2id is slow on purpose. */
let hashed: Promise<string> | undefined

/** The API as people and machines meet it: they sign in, by cookies and tokens, at a wall clock that tests move. */
export function signedInWorld(given: AppDeps, how: Partial<SignIn> = {}): SignedInWorld {
  const wall: Wall = { at: Date.parse('2026-11-21T12:00:00Z') }
  const signIn: SignIn = { vault: openVault(Buffer.alloc(32, 7)), publicUrl: null, trustedProxies: [], isDemo: false, ...how }
  const deps: AppDeps = { ...given, wallNow: () => wall.at, signIn }
  const app = createApp(deps)
  const origin = signIn.publicUrl?.origin ?? `http://${headers.host}`
  const host = signIn.publicUrl?.host ?? headers.host

  const browser = (): Browser => {
    const cookies = new Map<string, string>()
    const it: Browser = {
      cookies,
      address: '192.0.2.10',
      get: (path) => it.send('GET', path),
      send: async (method, path, body, more = {}) => {
        const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
        const response = await app.request(
          path,
          {
            method,
            headers: {
              host,
              ...(cookie === '' ? {} : { cookie }),
              ...(method === 'GET' ? {} : { origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' }),
              ...more,
            },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          },
          { incoming: { socket: { remoteAddress: it.address } } },
        )
        for (const line of response.headers.getSetCookie()) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
          if (/max-age=0/i.test(line)) cookies.delete(name)
          else cookies.set(name, value)
        }
        return response
      },
    }
    return it
  }

  return {
    app,
    deps,
    wall,
    browser,
    addPerson: async (name, roles) => {
      const { hashPassword } = await import('../../jobs/passwords.ts')
      hashed ??= hashPassword(password)
      const id = newId()
      const email = `${name.toLowerCase().replaceAll(' ', '.')}@staff.example`
      const person = { id, email, name, password: await hashed, isDemo: false, roles, createdAt: wall.at, createdBy: 'test' }
      const act = { act: 'person.join', actor: 'test', at: given.workspace.clock.now(), target: { kind: 'person' as const, id } }
      await sealing(given.workspace.database.db, (tx) => addPerson(tx, given.workspace.id, person, act))
      return { id, email }
    },
    signIn: async ({ email }) => {
      const it = browser()
      const response = await it.send('POST', '/api/v1/sign-in', { email, password })
      if (response.status !== 200) throw new Error(`${email} could not sign in: ${response.status} ${await response.text()}`)
      return it
    },
  }
}
