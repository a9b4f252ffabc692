import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { buildConnector } from 'undici'
import type { ToolErrorReason } from './connector.ts'
import { ToolError } from './connector.ts'
import { checkAddress, hostOf } from './guard.ts'

export type Resolve = (host: string) => Promise<readonly string[]>

export interface Guarded {
  /** From `parseAllowList`; file configuration only. */
  readonly allow: ReadonlySet<string>
  readonly resolve?: Resolve
  /** Makes the error that is thrown, with the words for who was reached. */
  readonly fail: (reason: ToolErrorReason, what: string) => ToolError
}

/** The address a name leads to, after every address it has was checked. @throws ToolError */
export async function checkedAddress(url: URL, { allow, resolve = resolveAll, fail }: Guarded): Promise<string> {
  const host = hostOf(url)
  const addresses = isIP(host)
    ? [host]
    : await resolve(host).catch(() => {
        throw fail('network', 'its host name could not be resolved.')
      })
  const [first] = addresses
  if (first === undefined) throw fail('network', 'its host name has no address.')
  for (const address of addresses) {
    const verdict = checkAddress(address, url, allow)
    if (!verdict.ok) throw fail('refused_address', `its host name ${verdict.why}. Nothing was sent.`)
  }
  return first
}

/** For an undici agent: the address that is connected to is the address that was checked, and the name is resolved once. */
export function guardedConnect(guarded: Guarded, timeoutMs: number): ReturnType<typeof buildConnector> {
  const connect = buildConnector({ timeout: timeoutMs })
  return (options, callback) => {
    const bare = options.hostname.replace(/^\[|\]$/g, '')
    const url = new URL(`${options.protocol}//${bare.includes(':') ? `[${bare}]` : bare}${options.port ? `:${options.port}` : ''}`)
    const host = hostOf(url)
    checkedAddress(url, guarded).then(
      (address) => connect({ ...options, hostname: address, ...(isIP(host) ? {} : { servername: host }) }, callback),
      (error: unknown) =>
        callback(error instanceof ToolError ? error : guarded.fail('network', 'its host name could not be resolved.'), null),
    )
  }
}

async function resolveAll(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true, verbatim: true })).map((entry) => entry.address)
}
