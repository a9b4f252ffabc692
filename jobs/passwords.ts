import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'

/** OWASP's least for argon2id: 19 MiB, two passes, one lane. */
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 }
/** Each takes memory and a thread of the pool that files and look-ups use too. */
const atOnce = 2

/** `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, the PHC form. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  return write(salt, await derive(password, salt, cost), cost)
}

/** Takes the same time whether there is a password to compare with or not. */
export async function isPassword(password: string, stored: string | null): Promise<boolean> {
  const parsed = stored === null ? null : read(stored)
  const { salt, tag, ...parameters } = parsed ?? { salt: noSalt, tag: Buffer.alloc(cost.tagLength), ...cost }
  const derived = await derive(password, salt, { ...parameters, tagLength: tag.length })
  return timingSafeEqual(derived, tag) && parsed !== null
}

const noSalt = randomBytes(16)
let running = 0
const waiting: (() => void)[] = []

async function derive(password: string, salt: Buffer, { memory, passes, parallelism, tagLength }: typeof cost): Promise<Buffer> {
  if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve))
  else running++
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      const parameters = { message: password.normalize('NFKC'), nonce: salt, memory, passes, parallelism, tagLength }
      argon2('argon2id', parameters, (error, derived) => (error ? reject(error) : resolve(Buffer.from(derived))))
    })
  } finally {
    const next = waiting.shift()
    if (next) next()
    else running--
  }
}

function write(salt: Buffer, tag: Buffer, { memory, passes, parallelism }: typeof cost): string {
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${text(salt)}$${text(tag)}`
}

function read(stored: string) {
  const [, memory, passes, parallelism, salt = '', tag = ''] =
    /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(stored) ?? []
  if (memory === undefined) return null
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
    tagLength: cost.tagLength,
  }
}
