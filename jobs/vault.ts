import { createCipheriv, createDecipheriv, createHmac, hash, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { AppError } from './domain/errors.ts'

/** Where a sealed value stands; what is sealed for one place does not open in another. */
export interface Place {
  readonly workspaceId: number
  readonly table: string
  readonly row: string
  readonly column: string
}

export interface Vault {
  /** Names the key without telling it. */
  readonly keyId: string
  /** `v1.<key id>.<nonce>.<text>.<tag>`, AES-256-GCM with the place as associated data. */
  seal(text: Buffer, place: Place): string
  /** @throws AppError unavailable when it was sealed for another place, under another key, or was changed. */
  open(sealed: string, place: Place): Buffer
  /** A mark that only this vault makes, for what leaves in a cookie. */
  sign(purpose: string, text: string): string
  isSigned(purpose: string, text: string, mark: string): boolean
}

/** Seals what must be read again, under a key derived from the workspace's own (`jobs/workspace-key.ts`). */
export function openVault(workspaceKey: Buffer): Vault {
  const derive = (what: string) => Buffer.from(hkdfSync('sha256', workspaceKey, Buffer.alloc(0), `throughline ${what} v1`, 32))
  const sealing = derive('sealing')
  const signing = derive('signing')
  const keyId = hash('sha256', sealing, 'hex').slice(0, 8)
  const associated = ({ workspaceId, table, row, column }: Place) => Buffer.from(JSON.stringify([keyId, workspaceId, table, row, column]))
  const sign = (purpose: string, text: string) => createHmac('sha256', signing).update(`${purpose}\0${text}`).digest('base64url')
  return {
    keyId,
    seal: (text, place) => {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce).setAAD(associated(place))
      const sealed = Buffer.concat([cipher.update(text), cipher.final()])
      return ['v1', keyId, ...[nonce, sealed, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join('.')
    },
    open: (sealed, place) => {
      const [version, sealedUnder, ...parts] = sealed.split('.')
      const [nonce, text, tag] = parts.map((part) => Buffer.from(part, 'base64url'))
      try {
        if (version !== 'v1' || sealedUnder !== keyId || !nonce || !text || tag?.length !== 16) throw new Error('Not sealed by this vault.')
        const decipher = createDecipheriv('aes-256-gcm', sealing, nonce).setAAD(associated(place))
        decipher.setAuthTag(tag)
        return Buffer.concat([decipher.update(text), decipher.final()])
      } catch (cause) {
        throw new AppError(
          'unavailable',
          `What is sealed in ${place.table}.${place.column} does not open: it was changed, moved, or sealed under another workspace key (${sealedUnder ?? 'none'}, this is ${keyId}).`,
          { cause },
        )
      }
    },
    sign,
    isSigned: (purpose, text, mark) => {
      const [given, right] = [Buffer.from(mark), Buffer.from(sign(purpose, text))]
      return given.length === right.length && timingSafeEqual(given, right)
    },
  }
}
