import { randomBytes, randomUUID } from 'node:crypto'
import { hashToken } from '../../who-acts.ts'

export function newId(): string {
  return randomUUID().replaceAll('-', '')
}

/** 32 random bytes to give away once, and what is stored of them. */
export function newSecretToken(prefix = ''): { readonly token: string; readonly tokenHash: string } {
  const token = prefix + randomBytes(32).toString('base64url')
  return { token, tokenHash: hashToken(token) }
}
