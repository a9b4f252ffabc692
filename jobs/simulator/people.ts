import type { Random } from './random.ts'
import { hexDigits, randomFrom } from './random.ts'

/** An invented member of the demo clinic, in clear: only the simulated tools and the canary test ever see this. */
export interface Person {
  readonly index: number
  /** Surrogate used in the truth file. */
  readonly key: string
  readonly given: string
  readonly family: string
  readonly email: string
  /** E.164 */
  readonly phone: string
  readonly birthDate: string
  /** The minted reference that travels through the tools, when the clinic's link builder was used. */
  readonly ref: string | null
  readonly household: 'phone' | 'phone-and-email' | 'namesake' | null
  readonly sharesFrontDesk: boolean
  /** Someone else's card: their data stands on the payment instead of the member's. */
  readonly payer: Pick<Person, 'given' | 'family' | 'email' | 'phone'> | null
}

const givenNames =
  'Ada Bela Cora Dario Elin Faris Gala Hugo Ines Jovan Kira Lior Mira Nilo Oda Pavel Quin Rada Sena Timo Ulla Vito Wanda Xenia Yara Zoran Alma Boris Celia Dora Emil Flora Goran Hana Ivo Juna Karim Lena Matei Nora Orin Petra Rafael Selma Tarik Uma Vera Wim Yusuf Zita'.split(
    ' ',
  )
const syllables =
  'vel mar ik dro san tor bel qua lin dez fro gan hul jor kes lor mun nev ost pri rus sav tul ver wex yor zan bru cal dim'.split(' ')
const domains = ['example.com', 'example.org', 'example.net', 'mail.example.com', 'post.example.org']
const areaCodes =
  '201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 220 224 225 228 229 231 234 239 240 248 251 252 253 254 256 260 262 267 269 270 272 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320 321 323 325 330 331 334 336 337 339 347 351 352 360 361 385 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417 419 423 424 425 430 432 434 435 440 442 443 458'.split(
    ' ',
  )

/** North American numbers reserved for fiction (555-01xx), each used once. */
function phoneNumber(n: number): string {
  const area = areaCodes[n % areaCodes.length] ?? '212'
  return `+1${area}55501${String(Math.floor(n / areaCodes.length) % 100).padStart(2, '0')}`
}

export const frontDeskPhone = '+12124440199'

function familyName(random: Random): string {
  const name = Array.from({ length: 4 }, () => random.pick(syllables)).join('')
  return name.charAt(0).toUpperCase() + name.slice(1)
}

function someone(random: Random, index: number, offset: number) {
  const given = random.pick(givenNames)
  const family = familyName(random)
  return {
    given,
    family,
    email: `${given}.${family}${index}@${random.pick(domains)}`.toLowerCase(),
    phone: phoneNumber(index * 2 + offset),
  }
}

const birthDate = (random: Random, from: number, to: number) =>
  `${random.int(from, to)}-${String(random.int(2, 12)).padStart(2, '0')}-${String(random.int(2, 28)).padStart(2, '0')}`

/** Every twentieth pair of people lives together; others share a front desk's phone or have someone else pay. */
export const placeInBlock = (index: number) => index % 20
export const isHouseholdHead = (index: number) => placeInBlock(index) === 3
export const isHouseholdMember = (index: number) => placeInBlock(index) === 4
const householdKinds = ['phone', 'phone-and-email', 'namesake'] as const
export const householdKind = (index: number) => householdKinds[Math.floor(index / 20) % 3] ?? 'phone'

export function personOf(seed: number, index: number): Person {
  const random = randomFrom(seed, 'person', index)
  const self = someone(random, index, 0)
  const place = placeInBlock(index)
  const inHousehold = isHouseholdHead(index) || isHouseholdMember(index)
  const sharesFrontDesk = place === 9
  const paidByStranger = place === 12
  const paidByMember = place === 16
  const hasRef = inHousehold || sharesFrontDesk || paidByStranger || paidByMember || random.chance(0.55)
  const base: Person = {
    index,
    key: `p-${String(index).padStart(6, '0')}`,
    ...self,
    phone: sharesFrontDesk ? frontDeskPhone : self.phone,
    birthDate: birthDate(random, 1948, 1994),
    ref: hasRef ? random.text(32, hexDigits) : null,
    household: inHousehold ? householdKind(index) : null,
    sharesFrontDesk,
    payer: paidByStranger ? someone(random, index, 1) : paidByMember ? personOf(seed, index - 13) : null,
  }
  if (!isHouseholdMember(index)) return base
  const head = personOf(seed, index - 1)
  if (base.household === 'phone') return { ...base, phone: head.phone }
  const home = { ...base, family: head.family, phone: head.phone, email: head.email }
  // The member's names differ from the head's, except for namesakes: father and son with one name, one address and one telephone.
  if (base.household === 'namesake') return { ...home, given: head.given, birthDate: birthDate(random, 1996, 2007) }
  const given =
    home.given === head.given
      ? (givenNames.find((name) => name !== head.given && name.charAt(0) !== head.given.charAt(0)) ?? home.given)
      : home.given
  return { ...home, given }
}

/** Where someone goes, in the words of the calendar; a household goes to one place. */
const clinics = ['riverside', 'hillside', 'riverside', 'NW-ONLINE', 'hillside'] as const
export const clinicOf = ({ index }: Pick<Person, 'index'>): (typeof clinics)[number] =>
  clinics[Math.floor((index + 1) / 2) % clinics.length] ?? 'riverside'

/** Every string that identifies this person, in the forms it could be found at rest. */
export function needlesOf(person: Person): string[] {
  const people = person.payer ? [person, person.payer] : [person]
  return people.flatMap((one) => [
    one.email,
    one.phone,
    one.phone.slice(2),
    displayPhone(one.phone),
    one.family,
    `${one.given} ${one.family}`,
  ])
}

export function displayPhone(e164: string): string {
  return `(${e164.slice(2, 5)}) ${e164.slice(5, 8)}-${e164.slice(8)}`
}
