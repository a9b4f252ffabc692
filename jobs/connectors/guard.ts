import ipaddr from 'ipaddr.js'
import { AppError } from '../domain/errors.ts'

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly why: string }

/** Ports a tool may be reached on without being listed in the file configuration. */
const openPorts = new Set(['443', '8443'])

/** Addresses that hand out credentials of the machine itself; the link-local nets beside them are refused as a whole. */
const metadataAddresses = new Set(['100.100.100.200', '168.63.129.16', '192.0.0.192', 'fd00:ec2::254', 'fd20:ce::254'])
const metadataNames = new Set(['metadata', 'metadata.google.internal', 'metadata.goog', 'instance-data', 'instance-data.ec2.internal'])
const insideNames = ['localhost', 'local', 'internal', 'intranet', 'lan', 'home', 'corp', 'home.arpa', 'onion', 'invalid', 'test']

/**
 * Exact `host:port` entries of `egress.allow` in the file configuration, in canonical form.
 * @throws AppError for a wildcard, a net, a missing port or an address that is never allowed.
 */
export function parseAllowList(entries: readonly string[]): ReadonlySet<string> {
  return new Set(entries.map(parseAllowEntry))
}

function parseAllowEntry(entry: string): string {
  const refuse = (why: string) =>
    new AppError(
      'invalid_configuration',
      `egress.allow: ${JSON.stringify(entry)} ${why}. Write one exact host:port, such as 127.0.0.1:4411.`,
    )
  if (!/^[^\s/@?#*,]+:\d{1,5}$/.test(entry)) throw refuse('is not one host and port')
  const url = tryUrl(`https://${entry}`)
  if (!url) throw refuse('is not one host and port')
  const host = hostOf(url)
  const never = neverAllowed(host)
  if (never) throw refuse(`is ${never}, which is never allowed`)
  return endpointOf(url)
}

/** What a connection's URL may be, when it is saved and again before each request. */
export function checkToolUrl(raw: string | URL, allow: ReadonlySet<string>): Verdict {
  const url = typeof raw === 'string' ? tryUrl(raw) : raw
  if (!url) return no('is not a URL')
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return no(`has the scheme ${url.protocol.slice(0, -1)}; only https is read`)
  if (url.username || url.password) return no('carries a user name or password; give credentials as secrets')
  const host = hostOf(url)
  if (!host) return no('has no host')
  const never = neverAllowed(host)
  if (never) return no(`points to ${never}`)
  if (allow.has(endpointOf(url))) return { ok: true }
  if (url.protocol === 'http:') return no('is not encrypted (http); only https is read')
  if (!openPorts.has(portOf(url))) return no(`uses port ${portOf(url)}; only 443 and 8443 are read`)
  if (ipaddr.isValid(host)) return isPublic(host) ? { ok: true } : no('points to a private or reserved address')
  if (!host.includes('.')) return no('names a host inside this network')
  if (insideNames.some((name) => host === name || host.endsWith(`.${name}`))) return no('names a host inside this network')
  return { ok: true }
}

/** What an address may be that a host name resolved to, or that stands in the URL itself; asked again at every connect. */
export function checkAddress(address: string, url: URL, allow: ReadonlySet<string>): Verdict {
  const never = neverAllowed(address)
  if (never) return no(`leads to ${never}`)
  if (!ipaddr.isValid(address)) return no('has no usable address')
  if (isPublic(address) || allow.has(endpointOf(url))) return { ok: true }
  return no('leads to a private or reserved address')
}

/** `host:port` in canonical form. */
export function endpointOf(url: URL): string {
  const host = hostOf(url)
  return `${host.includes(':') ? `[${host}]` : host}:${portOf(url)}`
}

export function hostOf(url: URL): string {
  const bare = url.hostname.replace(/^\[|\]$/g, '')
  if (ipaddr.isValid(bare)) return ipaddr.parse(bare).toString()
  return bare.toLowerCase().replace(/\.+$/, '')
}

function portOf(url: URL): string {
  return url.port || (url.protocol === 'http:' ? '80' : '443')
}

function neverAllowed(host: string): string | null {
  if (metadataNames.has(host)) return 'a cloud metadata service'
  if (!ipaddr.isValid(host)) return null
  for (const address of [ipaddr.parse(host), embedded(host)]) {
    if (!address) continue
    if (metadataAddresses.has(address.toString())) return 'a cloud metadata service'
    if (address.range() === 'linkLocal') return 'a link-local address'
  }
  return null
}

function isPublic(host: string): boolean {
  const address = ipaddr.parse(host)
  if (address.range() !== 'unicast') return false
  if (address.kind() === 'ipv4') return !metadataAddresses.has(address.toString())
  const first = (address as ipaddr.IPv6).parts[0] ?? 0
  const documentation = first === 0x3fff && ((address as ipaddr.IPv6).parts[1] ?? 0) < 0x1000
  return first >= 0x2000 && first <= 0x3fff && !documentation
}

/** The IPv4 address inside a mapped, compatible, translated (NAT64) or 6to4 address. */
function embedded(host: string): ipaddr.IPv4 | null {
  const address = ipaddr.parse(host)
  if (address.kind() === 'ipv4') return null
  const parts = (address as ipaddr.IPv6).parts
  const from = (high = 0, low = 0) => new ipaddr.IPv4([high >> 8, high & 255, low >> 8, low & 255])
  if (parts[0] === 0x2002) return from(parts[1], parts[2])
  const range = address.range()
  const compatible = parts.slice(0, 6).every((part) => part === 0) && (parts[6] ?? 0) > 0
  if (range === 'ipv4Mapped' || range === 'rfc6052' || range === 'rfc6145' || compatible) return from(parts[6], parts[7])
  return null
}

function tryUrl(raw: string): URL | null {
  return raw.length <= 2048 && URL.canParse(raw) ? new URL(raw) : null
}

function no(why: string): Verdict {
  return { ok: false, why }
}
