import { describe, expect, it } from 'vitest'
import { connectors } from '../../jobs/connectors/index.ts'
import { recordLink, wrongLink } from '../../jobs/record-link.ts'

describe('the link to a record in its tool', () => {
  it('puts the id into the address, where it can be nothing else', () => {
    expect(recordLink('https://dashboard.stripe.com/payments/{id}', 'pi_1')).toBe('https://dashboard.stripe.com/payments/pi_1')
    expect(recordLink('https://ehr.example/open?visit={id}', 'a b/../c&x="')).toBe(
      'https://ehr.example/open?visit=a%20b%2F..%2Fc%26x%3D%22',
    )
    expect(recordLink('https://ehr.example/{id}', '$&')).toBe('https://ehr.example/%24%26')
  })

  it.each([
    ['javascript:alert({id})', /no http or https/],
    ['data:text/html,{id}', /no http or https/],
    ['/visits/{id}', /no http or https/],
    ['https://user:pass@ehr.example/{id}', /no http or https/],
    ['https://{id}.example/', /in its host/],
    ['https://ehr.example/visits', /has no \{id\}/],
  ])('refuses %s', (template, why) => {
    expect(wrongLink(template)).toMatch(why)
    expect(recordLink(template, 'v-1')).toBeNull()
  })

  it('is none where nothing says where, and for evidence that is no record', () => {
    expect(recordLink(undefined, 'v-1')).toBeNull()
    expect(recordLink('https://ehr.example/{id}', '')).toBeNull()
  })
})

describe('what the connectors know', () => {
  const links = (id: string, config: Record<string, unknown>) => {
    const connector = connectors.find((one) => one.describe().id === id)
    const parsed: unknown = connector?.describe().configSchema.parse(config)
    return connector?.describe().streams.map(({ name }) => recordLink(connector.recordUrl?.(parsed, name) ?? undefined, 'x1'))
  }
  const account_sid = `AC${'0'.repeat(32)}`

  it('leads to the console of the vendor itself', () => {
    expect(links('stripe', {})).toEqual(['https://dashboard.stripe.com/payments/x1', 'https://dashboard.stripe.com/refunds/x1'])
    expect(links('calcom', {})).toEqual(['https://app.cal.com/booking/x1'])
    expect(links('twilio', { account_sid })).toEqual(['https://www.twilio.com/console/sms/logs/x1'])
  })

  it('leads nowhere from a simulator, a proxy or a tool without a console of its own', () => {
    const base_url = 'http://127.0.0.1:4411'
    for (const [id, config] of [
      ['stripe', { base_url }],
      ['calcom', { base_url }],
      ['twilio', { base_url, account_sid }],
      ['fhir', { base_url: 'https://ehr.example/fhir' }],
    ] as const)
      expect(new Set(links(id, config))).toEqual(new Set([null]))
  })
})
