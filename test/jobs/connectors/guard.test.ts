import { describe, expect, test } from 'vitest'
import { checkAddress, checkToolUrl, parseAllowList } from '../../../jobs/connectors/guard.ts'
import { openToolHttp } from '../../../jobs/connectors/http.ts'

const nothing = new Set<string>()

/** S7: each is refused when it is saved, and when a connection to it is opened. */
const refused = `
https://169.254.169.254/latest/meta-data/
http://169.254.169.254
https://169.254.170.2/v2/credentials
https://[fd00:ec2::254]/
https://[fd20:ce::254]/
https://100.100.100.200/
https://168.63.129.16/
https://192.0.0.192/
https://metadata.google.internal/
https://METADATA.google.internal./
https://metadata/
https://localhost
https://localhost.
https://LOCALHOST/
https://api.localhost/
https://127.0.0.1
https://127.0.0.1./
https://127.1
https://127.0.1
https://2130706433
https://0x7f000001
https://0x7f.0.0.1
https://0177.0.0.1
https://017700000001
https://127.0.0.1%2e/
https://１２７.０.０.１
https://①②⑦.0.0.1
https://127。0。0。1
https://0
https://0.0.0.0
https://[::]
https://[::1]
https://[0:0:0:0:0:0:0:1]
https://[::ffff:127.0.0.1]
https://[::ffff:7f00:1]
https://[::ffff:a9fe:a9fe]
https://[::127.0.0.1]
https://[64:ff9b::7f00:1]
https://[64:ff9b::a9fe:a9fe]
https://[64:ff9b:1::a00:1]
https://[2002:7f00:1::]
https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]
https://[fe80::1]
https://[fec0::1]
https://[fc00::1]
https://[fd12:3456:789a::1]
https://[ff02::1]
https://[2001:db8::1]
https://[3fff::1]
https://[100::1]
https://10.0.0.1
https://10.255.255.255
https://172.16.0.1
https://172.31.255.254
https://192.168.1.1
https://100.64.0.1
https://100.127.255.255
https://169.254.0.1
https://192.0.2.1
https://198.18.0.1
https://198.51.100.7
https://203.0.113.9
https://224.0.0.1
https://240.0.0.1
https://255.255.255.255
https://intranet
https://printer.local
https://db.internal
https://router.home.arpa
file:///etc/passwd
gopher://tool.example/
ftp://tool.example/
ws://tool.example/
data:application/json,{}
javascript:alert(1)
http://tool.example
https://user@tool.example
https://user:secret@tool.example
https://tool.example@127.0.0.1/
https://tool.example:22
https://tool.example:25
https://tool.example:5432
https://tool.example:6379
https://tool.example:80
https:///
https://
not a url
`
  .trim()
  .split('\n')

const taken = [
  'https://api.stripe.com',
  'https://api.cal.com/',
  'https://ehr.example.org/fhir/R4',
  'https://ehr.example.org:8443/fhir',
  'https://1.1.1.1',
  'https://[2606:4700:4700::1111]/',
]

describe('S7: the table of addresses', () => {
  test.each(refused)('S7: %s is refused when it is saved and when it is opened', (url) => {
    expect(checkToolUrl(url, nothing).ok).toBe(false)
    const open = () => openToolHttp({ baseUrl: url, headers: {}, requestsPerSecond: 1 }, { connection: 'x', allow: nothing, now: () => 0 })
    expect(open).toThrow(/egress\.allow/)
  })

  test.each(taken)('S7: %s may be read', (url) => {
    expect(checkToolUrl(url, nothing)).toEqual({ ok: true })
  })

  const addresses = refused
    .flatMap((url) => (URL.canParse(url) ? [new URL(url).hostname.replace(/^\[|\]$/g, '')] : []))
    .filter((host) => /^[\d.]+$|:/.test(host))
  test.each([...new Set(addresses)])('S7: a name that resolves to %s is refused at connect', (address) => {
    expect(checkAddress(address, new URL('https://tool.example'), nothing).ok).toBe(false)
  })

  test('S7: what is refused says why in words', () => {
    expect(checkToolUrl('https://10.0.0.1', nothing)).toEqual({ ok: false, why: 'points to a private or reserved address' })
    expect(checkToolUrl('https://169.254.169.254', nothing)).toEqual({ ok: false, why: 'points to a link-local address' })
    expect(checkToolUrl('https://168.63.129.16', nothing)).toEqual({ ok: false, why: 'points to a cloud metadata service' })
  })
})

describe('S9: the allow list', () => {
  const allow = parseAllowList(['10.0.0.5:8080', 'EHR.corp.internal:443', '[fd12::5]:9000', '127.0.0.1:4411'])

  test.each([
    'http://10.0.0.5:8080/x',
    'https://10.0.0.5:8080',
    'https://ehr.corp.internal',
    'https://ehr.corp.internal.:443/',
    'http://[fd12::5]:9000',
    'http://127.1:4411',
  ])('S9: %s is exactly listed', (url) => expect(checkToolUrl(url, allow)).toEqual({ ok: true }))

  test.each([
    'http://10.0.0.5:8081',
    'https://10.0.0.5',
    'http://10.0.0.6:8080',
    'https://other.corp.internal',
    'https://x.ehr.corp.internal',
    'https://ehr.corp.internal:8443',
    'http://127.0.0.2:4411',
    'http://localhost:4411',
  ])('S9: %s is not', (url) => expect(checkToolUrl(url, allow).ok).toBe(false))

  test.each([
    '10.0.0.0/8:80',
    '*.internal:443',
    '*:443',
    '10.0.0.5',
    'http://10.0.0.5:80',
    'user@10.0.0.5:80',
    'host:0x50',
    '10.0.0.5:80,10.0.0.6:80',
    '10.0.0.5:99999',
    '',
  ])('S9: %j is no exact host and port', (entry) => expect(() => parseAllowList([entry])).toThrow(/exact host:port/))

  test.each([
    '169.254.169.254:80',
    '[fd00:ec2::254]:80',
    'metadata.google.internal:80',
    '[::ffff:169.254.169.254]:80',
    '2852039166:80',
    '168.63.129.16:80',
    '[fe80::1]:80',
  ])('S9: %s cannot be listed', (entry) => expect(() => parseAllowList([entry])).toThrow(/never allowed/))

  test('S9: a listed name may lead inside, but never to a metadata service', () => {
    const url = new URL('https://ehr.corp.internal')
    expect(checkAddress('10.1.2.3', url, allow).ok).toBe(true)
    expect(checkAddress('169.254.169.254', url, allow).ok).toBe(false)
    expect(checkAddress('fd00:ec2::254', url, allow).ok).toBe(false)
    expect(checkAddress('::ffff:169.254.169.254', url, allow).ok).toBe(false)
  })

  test('S9: even a list that was forged in memory reaches no metadata service', () => {
    expect(checkToolUrl('http://169.254.169.254/', new Set(['169.254.169.254:80'])).ok).toBe(false)
  })
})
