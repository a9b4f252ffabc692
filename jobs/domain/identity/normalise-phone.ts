import type { CountryCode } from 'libphonenumber-js'
import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js'

export interface NormalisedPhone {
  /** E.164 */
  readonly value: string
  /** False for a number with an extension: many people answer it. */
  readonly linkable: boolean
}

export function isPhoneCountry(country: string): country is CountryCode {
  return isSupportedCountry(country)
}

/** Version 1: valid numbers only (`isValid`, not `isPossible`), read in the workspace's country when they have no country code. */
export function normalisePhone(raw: string, defaultCountry: CountryCode): NormalisedPhone | null {
  const text = raw
    .normalize('NFKC')
    .trim()
    .replace(/^(tel|sms|whatsapp):/i, '')
  if (text.length < 5 || text.length > 40) return null
  const phone = parsePhoneNumberFromString(text, defaultCountry)
  if (!phone?.isValid()) return null
  return { value: phone.number, linkable: phone.ext === undefined }
}
