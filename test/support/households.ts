import type { PersonClaim } from '../../jobs/connectors/connector.ts'
import type { ObjectRef } from '../../jobs/domain/facts.ts'

export interface KnownRecord {
  readonly id: string
  readonly person: string
  readonly claim: PersonClaim
  readonly objects: readonly ObjectRef[]
  /** Whether the record carries enough to say whose it is. */
  readonly decidable: boolean
}

const given =
  'James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph Jessica Thomas Karen Charles Sarah Daniel Lisa Matthew Nancy Anthony Sandra Mark Ashley Steven Emily Paul Kimberly Andrew Donna Joshua Michelle Kevin Carol Brian Amanda George Melissa Emma Olivia Noah Liam Ava Mia'.split(
    ' ',
  )
const families =
  'Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores'.split(
    ' ',
  )
const nicknames: Readonly<Record<string, string>> = {
  Robert: 'Rob',
  William: 'Bill',
  Elizabeth: 'Liz',
  Jennifer: 'Jenny',
  Michael: 'Mike',
  Thomas: 'Tom',
}

interface Member {
  readonly key: string
  readonly given: string
  readonly family: string
  readonly birthDate: string
  readonly email: string
  readonly phone: string
  readonly ownEmail: boolean
  readonly ownPhone: boolean
  readonly reference: string | null
}

/** Households with shared addresses, twins, fathers and sons of one name, payers, a front desk, junk, nicknames and slips, in six tools. */
export function simulateHouseholds(seed: number, count: number): KnownRecord[] {
  const next = randomNumbers(seed)
  const chance = (share: number) => next() < share
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  const pick = (all: readonly string[]) => all[int(0, all.length - 1)] ?? ''
  const two = (n: number) => String(n).padStart(2, '0')
  const born = (from: number, to: number) => `${int(from, to)}-${two(int(1, 12))}-${two(int(1, 28))}`
  const phoneNumber = () => `+1${pick(['212', '415', '617', '303'])}${int(200, 999)}${int(1000, 9999)}`
  const slip = (word: string) => {
    const at = int(1, Math.max(1, word.length - 2))
    return word.slice(0, at) + (chance(0.5) ? '' : (word[at + 1] ?? '') + (word[at] ?? '')) + word.slice(at + (chance(0.5) ? 1 : 2))
  }
  const records: KnownRecord[] = []

  for (let house = 0; house < count; house++) {
    const family = pick(families)
    const shared = { email: `${family}${house}@example.com`.toLowerCase(), phone: phoneNumber() }
    const size = int(1, 5)
    const members: Member[] = []
    for (let n = 0; n < size; n++) {
      const key = `${house}.${n}`
      const adult = n < 2
      const twin = n === 3 && chance(0.15) ? members[2] : undefined
      const first = n === 2 && chance(0.06) ? (members[0]?.given ?? '') : pick(given)
      const ownEmail = chance(adult ? 0.8 : 0.2)
      const ownPhone = chance(adult ? 0.8 : 0.15)
      members.push({
        key,
        given: twin?.given === first ? `${first}na` : first,
        family: twin?.family ?? (chance(0.9) ? family : pick(families)),
        birthDate: twin?.birthDate ?? (adult ? born(1950, 1990) : born(2000, 2015)),
        email: ownEmail ? `${first}.${key}@gmail.com`.toLowerCase() : shared.email,
        phone: ownPhone ? phoneNumber() : shared.phone,
        ownEmail,
        ownPhone,
        reference: chance(0.3) ? `ref-${key}` : null,
      })
    }
    for (const member of members) {
      const head = members[0] ?? member
      const name = () => ({
        given: chance(0.1) ? (nicknames[member.given] ?? member.given) : chance(0.03) ? slip(member.given) : member.given,
        family: chance(0.03) ? slip(member.family) : member.family,
      })
      const full = () => Object.values(name()).join(' ')
      const reference = () => (chance(0.7) ? member.reference : null)
      const phones = () => [chance(0.03) ? '+12124440100' : member.phone]
      const emails = () => [chance(0.02) ? 'info@clinic.example.com' : member.email]
      const birthDate = () => (chance(0.03) ? member.birthDate.slice(0, 8) + two(int(1, 28)) : member.birthDate)
      const external = [{ system: 'ehr.patient', value: member.key }]
      const appointment = (id: string) => [{ type: 'appointment', id }]
      const add = (claim: PersonClaim, decidable = true, objects: readonly ObjectRef[] = []) =>
        records.push({ id: `${member.key} ${records.length}`, person: member.key, claim, objects, decidable })

      add({ role: 'self', reference: reference(), external, emails: emails(), phones: phones(), name: name(), birthDate: birthDate() })
      add({ role: 'self', external }, true, appointment(`ehr ${member.key}`))
      add({ role: 'self', reference: reference(), emails: emails(), phones: chance(0.5) ? phones() : [], name: { full: full() } })
      if (chance(0.6)) add({ role: 'self', emails: emails(), phones: phones(), name: name(), birthDate: birthDate() })
      if (chance(0.5)) add({ role: 'self', reference: reference(), emails: emails(), name: name() })
      if (chance(0.8)) {
        const paidBy = chance(0.15) ? head : member
        const ref = reference()
        const payer: PersonClaim = { role: 'payer', emails: [paidBy.email], name: { full: `${paidBy.given} ${paidBy.family}` } }
        add(ref ? { role: 'self', reference: ref } : payer, ref !== null || (paidBy === member && member.ownEmail))
      }
      for (let sent = int(0, 4); sent > 0; sent--) {
        const ref = chance(0.4) ? reference() : null
        const about = chance(0.2) ? appointment(`ehr ${member.key}`) : []
        add({ role: 'contact', reference: ref, phones: [member.phone] }, ref !== null || about.length > 0 || member.ownPhone, about)
      }
    }
  }
  return records
}

/** Mulberry32. */
function randomNumbers(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
