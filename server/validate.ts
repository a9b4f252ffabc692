import type { z } from 'zod'
import { AppError } from '../jobs/domain/errors.ts'

type Checked = { readonly success: true } | { readonly success: false; readonly error: z.core.$ZodError }

/** The hook of every route: what does not fit is thrown, so that a response's type never carries a validator's error. */
export function refuseInvalid(result: Checked & { readonly target?: string }): void {
  if (result.success) return
  const problems = result.error.issues.slice(0, 5).map((issue) => {
    const where = issue.path.map(String).join('.')
    return where === '' ? issue.message : `${where}: ${issue.message}`
  })
  throw new AppError('invalid_input', `The ${targetWords[result.target ?? ''] ?? 'request'} does not fit. ${problems.join('; ')}.`)
}

const targetWords: Readonly<Record<string, string>> = { json: 'body', query: 'query', param: 'address', header: 'header' }
