/** Codes of everything we refuse; `server/errors.ts` maps each to one HTTP status. */
export const appErrorCodes = [
  'invalid_input',
  'invalid_configuration',
  'not_found',
  'conflict',
  'unauthenticated',
  'forbidden',
  'too_many',
  'unavailable',
  'internal',
] as const
export type AppErrorCode = (typeof appErrorCodes)[number]

/** An error whose message may be shown: it says what happened, to what, and what to do, and holds nothing identifying. */
export class AppError extends Error {
  readonly code: AppErrorCode
  constructor(code: AppErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'AppError'
    this.code = code
  }
}
