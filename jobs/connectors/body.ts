import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'

/** Why a body was not taken; the sentence goes on from "reading <what>, ". */
export class BodyRefused extends Error {}

/** The whole body, unpacked, at most `limit` bytes before and after unpacking. @throws BodyRefused, or what the connection throws. */
export async function readBody(body: AsyncIterable<Buffer>, encoding: string | undefined, limit: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of unpacked(capped(body, limit), encoding)) {
    size += chunk.length
    if (size > limit) throw tooBig(limit)
    chunks.push(chunk)
  }
  if (size === 0) throw new BodyRefused('the tool answered 200 with an empty body.')
  return Buffer.concat(chunks, size)
}

const tooBig = (limit: number) => new BodyRefused(`the answer was larger than ${limit} bytes. Nothing was taken from it.`)

async function* capped(body: AsyncIterable<Buffer>, limit: number): AsyncIterable<Buffer> {
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > limit) throw tooBig(limit)
    yield chunk
  }
}

async function* unpacked(chunks: AsyncIterable<Buffer>, encoding: string | undefined): AsyncIterable<Buffer> {
  const name = (encoding ?? 'identity').trim().toLowerCase()
  if (name === 'identity' || name === '') return yield* chunks
  const unpacker = unpackerFor(name)
  if (unpacker === null) throw new BodyRefused('the tool answered in a compression nobody asked for.')
  const feeding = feed(chunks, unpacker)
  feeding.catch((error: Error) => unpacker.destroy(error))
  try {
    yield* unpacker as AsyncIterable<Buffer>
    await feeding
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_'))
      throw new BodyRefused('the compressed answer was damaged.')
    throw error
  } finally {
    unpacker.destroy()
  }
}

function unpackerFor(name: string) {
  if (name === 'gzip' || name === 'x-gzip') return createGunzip()
  if (name === 'deflate') return createInflate()
  if (name === 'br') return createBrotliDecompress()
  return null
}

async function feed(
  chunks: AsyncIterable<Buffer>,
  into: ReturnType<typeof createGunzip> | ReturnType<typeof createBrotliDecompress>,
): Promise<void> {
  for await (const chunk of chunks) {
    if (into.destroyed) return
    if (!into.write(chunk)) await new Promise<void>((done) => into.once('drain', done).once('close', done))
  }
  into.end()
}
