import { z } from 'zod'
import type { Cursor } from '../db/records/page.ts'
import { AppError } from '../jobs/domain/errors.ts'

const shape = z.tuple([z.string(), z.array(z.union([z.string().max(200), z.number()])).max(5)])

/** A place in a list as an opaque word. It names its order, so that it cannot be used in another one. */
export function writeCursor(order: string, cursor: Cursor | null): string | null {
  return cursor === null ? null : Buffer.from(JSON.stringify([order, cursor])).toString('base64url')
}

export function readCursor(order: string, text: string | undefined): Cursor | null {
  if (text === undefined) return null
  const parsed = shape.safeParse(parse(text))
  if (!parsed.success || parsed.data[0] !== order) {
    throw new AppError('invalid_input', 'This cursor does not belong to this list. Start from its first page.')
  }
  return parsed.data[1]
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return null
  }
}
