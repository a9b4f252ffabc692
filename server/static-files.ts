import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { Hono } from 'hono'
import { AppError } from '../jobs/domain/errors.ts'
import type { AppEnv } from './deps.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}
const fallbackPage = '200.html'

/** The built console from one folder. An address that names no file is a page of the console; it finds its own way. */
export function staticFiles(root: string) {
  return new Hono<AppEnv>().get('*', async (context) => {
    const path = decodePath(context.req.path)
    const found = path === null || path === sep ? null : await readWithin(root, path)
    if (found && extname(path ?? '') !== '.html') {
      const isImmutable = context.req.path.startsWith('/_app/immutable/')
      return context.body(found, 200, {
        'content-type': types[extname(path ?? '')] ?? 'application/octet-stream',
        'cache-control': isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
      })
    }
    if (extname(context.req.path) !== '') throw new AppError('not_found', 'There is no such file.')
    const page = found ?? (await readWithin(root, fallbackPage))
    if (!page) throw new AppError('not_found', 'The console is not built. Run npm run build, or use the API under /api/v1.')
    return context.body(page, 200, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'content-security-policy': pagePolicy(new TextDecoder().decode(page)),
    })
  })
}

/** The policy the build wrote into the page, with its hashes, and what only a header can say. */
export function pagePolicy(html: string): string {
  const written = /<meta http-equiv="content-security-policy" content="([^"]*)"/i.exec(html)?.[1]
  const policy = written?.replaceAll('&#39;', "'").replaceAll('&quot;', '"')
  return `${policy ?? "default-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; object-src 'none'; base-uri 'self'"}; frame-ancestors 'none'`
}

async function readWithin(root: string, path: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const target = join(root, path)
  if (!target.startsWith(root + sep)) return null
  try {
    return new Uint8Array(await readFile(target))
  } catch {
    return null
  }
}

function decodePath(path: string): string | null {
  try {
    const decoded = decodeURIComponent(path)
    return decoded.includes('\0') ? null : normalize(decoded)
  } catch {
    return null
  }
}
