import { firstNameClass } from './nicknames.ts'

export interface RawName {
  readonly given?: string | null
  readonly family?: string | null
  readonly full?: string | null
}

export interface NormalisedName {
  /** The class of the first given name (robert for Rob and Bob); null for an initial or none. */
  readonly first: string | null
  readonly family: string | null
}

const titles = new Set(
  'mr mrs ms mx miss master dr doctor prof professor rev reverend sir dame lady lord fr sr sra srta herr frau mme mlle'.split(' '),
)
const suffixes = new Set('jr sr snr jnr junior senior ii iii iv phd md do dds dvm rn np pa esq esquire cpa mba bsc msc'.split(' '))
const particles = new Set('van von der den ter de del della la le di da dos el al bin ibn zu zur'.split(' '))
const placeholders = new Set(
  'test tester testing unknown none null na nan undefined customer guest anonymous patient client user member unnamed name firstname lastname info admin office'.split(
    ' ',
  ),
)
const letters: Readonly<Record<string, string>> = { ß: 'ss', ø: 'o', ł: 'l', æ: 'ae', œ: 'oe', đ: 'd', ð: 'd', þ: 'th', ı: 'i' }

/** NFKD, lower case, letters only; a hyphen or an apostrophe joins. */
function toWords(raw: string): string[] {
  return raw
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[ßøłæœđðþı]/g, (letter) => letters[letter] ?? letter)
    .split(/[^\p{L}\p{M}'’.-]+/u)
    .map((word) => word.replace(/[^\p{L}]/gu, ''))
    .filter((word) => word !== '')
}

function withoutTitles(words: string[]): string[] {
  let start = 0
  while (start < words.length - 1 && titles.has(words[start] ?? '')) start++
  return words.slice(start)
}

function withoutSuffixes(words: string[]): string[] {
  let end = words.length
  while (end > 1 && suffixes.has(words[end - 1] ?? '')) end--
  return words.slice(0, end)
}

function toFirst(words: string[]): string | null {
  const first = words[0]
  return first === undefined || first.length < 2 || placeholders.has(first) ? null : firstNameClass(first)
}

function toFamily(words: string[]): string | null {
  const family = words.filter((word, index) => index === words.length - 1 || !particles.has(word)).join('')
  return family === '' || placeholders.has(family) ? null : family
}

/** Version 1. `full` is read as "Given … Family" or "Family, Given"; it is used only where given and family are absent. */
export function normaliseName(name: RawName): NormalisedName {
  if (name.given || name.family) {
    return {
      first: toFirst(withoutTitles(toWords(name.given ?? ''))),
      family: toFamily(withoutSuffixes(toWords(name.family ?? ''))),
    }
  }
  if (!name.full) return { first: null, family: null }
  const [head = '', ...rest] = name.full.split(',')
  const tail = rest.flatMap(toWords).filter((word) => !suffixes.has(word))
  if (tail.length > 0) return { first: toFirst(withoutTitles(tail)), family: toFamily(withoutSuffixes(withoutTitles(toWords(head)))) }
  const words = withoutSuffixes(withoutTitles(toWords(head)))
  return { first: toFirst(words), family: words.length > 1 ? toFamily(words.slice(-1)) : null }
}

/**
 * The forms of a name that are bound to a birth date: the first name with the sound of the family name, which forgives a slip in the latter;
 * and both names in either order, for forms that ask for the family name first. The first name is never softened: twins differ in nothing else.
 */
export function nameForms(first: string, family: string): string[] {
  const ordered = [first, firstNameClass(family)].sort()
  return [`${first}\0${soundOf(family)}`, `${ordered[0]}\0\0${ordered[1]}`]
}

/** First letter and consonants, doubled ones once: Allen, Alen and Allan are one. */
function soundOf(word: string): string {
  const spelled = word.replaceAll('ph', 'f').replaceAll('ck', 'k')
  return (
    spelled.slice(0, 1) +
    spelled
      .slice(1)
      .replace(/[aeiouyhw]/g, '')
      .replace(/(.)\1+/g, '$1')
  )
}
