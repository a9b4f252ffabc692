import { domainToASCII } from 'node:url'

/** How a provider reads its own addresses. Domains that are not here keep their local part as it is: a plus or a dot may be another mailbox. */
interface MailboxRule {
  readonly domain?: string
  readonly ignores: string
  readonly tag: string | null
}

const gmail: MailboxRule = { domain: 'gmail.com', ignores: '.', tag: '+' }
const proton: MailboxRule = { domain: 'proton.me', ignores: '._-', tag: '+' }
const plus: MailboxRule = { ignores: '', tag: '+' }

const mailboxRules = new Map<string, MailboxRule>([
  ['gmail.com', gmail],
  ['googlemail.com', gmail],
  ['proton.me', proton],
  ['protonmail.com', proton],
  ['protonmail.ch', proton],
  ['pm.me', proton],
  ...['outlook.com', 'hotmail.com', 'live.com', 'msn.com', 'icloud.com', 'me.com', 'mac.com', 'fastmail.com', 'zoho.com', 'hey.com'].map(
    (domain): [string, MailboxRule] => [domain, plus],
  ),
])

/** Addresses a service makes up for one sender and receiver: they say nothing about who else it is. */
const relayDomains = [
  'privaterelay.appleid.com',
  'relay.firefox.com',
  'mozmail.com',
  'duck.com',
  'simplelogin.com',
  'simplelogin.co',
  'slmail.me',
  'anonaddy.com',
  'anonaddy.me',
  'addy.io',
  'passmail.net',
  'users.noreply.github.com',
  'guest.booking.com',
  'guest.airbnb.com',
  'marketplace.amazon.com',
  'example.invalid',
]

const nobody = /^(no-?reply|do-?not-?reply|mailer-daemon|postmaster|none|null|unknown|noemail|no\.?email|na|n\/a)$/

export interface NormalisedEmail {
  readonly value: string
  /** False for relay and placeholder addresses. */
  readonly linkable: boolean
}

/** Version 1: NFKC, lower case, domain to ASCII, dots and tags by provider. Null when it is no address. */
export function normaliseEmail(raw: string): NormalisedEmail | null {
  const text = raw
    .normalize('NFKC')
    .trim()
    .replace(/^mailto:/i, '')
    .toLowerCase()
  const at = text.lastIndexOf('@')
  if (at < 1 || at > 128 || text.length > 254 || /[\s<>,;]/.test(text)) return null
  const domain = domainToASCII(text.slice(at + 1).replace(/\.$/, ''))
  if (!domain.includes('.') || domain.startsWith('.') || domain.includes('@')) return null

  const rule = mailboxRules.get(domain)
  let local = text.slice(0, at)
  if (rule) {
    const tag = rule.tag === null ? -1 : local.indexOf(rule.tag)
    if (tag >= 0) local = local.slice(0, tag)
    for (const ignored of rule.ignores) local = local.replaceAll(ignored, '')
    if (local === '') return null
  }
  const relay = relayDomains.some((relayDomain) => domain === relayDomain || domain.endsWith(`.${relayDomain}`))
  return { value: `${local}@${rule?.domain ?? domain}`, linkable: !relay && !nobody.test(local) }
}
