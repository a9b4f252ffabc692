const least = 12
/** Longer ones cost time and gain nothing. */
const most = 256
const wellKnown: ReadonlySet<string> = new Set([
  'passwordpassword',
  'password1234',
  'password12345',
  'password123456',
  'qwertyuiop123',
  'qwertyuiopas',
  'qwertyuiopasdf',
  '1234567890123',
  '123456789012',
  '12345678901234',
  '123123123123',
  'iloveyou1234',
  'letmeinletmein',
  'adminadminadmin',
  'administrator',
  'administrator1',
  'changemechangeme',
  'welcomewelcome',
  'throughline123',
  'throughlinethroughline',
  '1q2w3e4r5t6y',
  '1qaz2wsx3edc',
  'correcthorsebatterystaple',
])

/** Null when it will do. Length is what counts; no rule about signs (OWASP ASVS 5.0, 6.2). */
export function whyPasswordWillNotDo(password: string, person: { readonly email: string; readonly name: string }): string | null {
  const length = [...password].length
  if (length < least) return `A password needs at least ${least} characters; a few words in a row are good. This one has ${length}.`
  if (length > most) return `A password has at most ${most} characters.`
  const plain = password.toLowerCase()
  if (wellKnown.has(plain) || new Set(plain).size < 4) return 'This password is one of the first a guesser would try. Choose another.'
  const own = [person.email, person.email.split('@')[0] ?? '', person.name]
    .map((word) => word.toLowerCase().trim())
    .filter((word) => word.length >= 4)
  if (own.some((word) => plain.replaceAll(word, '').length < 6))
    return 'This password is little more than your name or address. Choose another.'
  return null
}
