/** The database cannot be used as asked. The message may be shown: it says what happened, to what, and what to do, and holds no secret. */
export class StorageError extends Error {
  readonly code: 'unavailable' | 'invalid_configuration'
  constructor(code: 'unavailable' | 'invalid_configuration', message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'StorageError'
    this.code = code
  }
}

/** Whether the database or the way to it failed, rather than what was done with its rows. */
export function isDatabaseError(error: unknown): boolean {
  if (error instanceof StorageError) return true
  if (!(error instanceof Error)) return false
  const { code, syscall, message } = error as Error & { code?: unknown; syscall?: unknown }
  if (error.name === 'PostgresError' || (typeof code === 'string' && /^CONNECT(ION)?_/.test(code))) return true
  // A file that is missing is no connection that is missing.
  if (typeof code === 'string' && /^(connect|getaddrinfo|read|write)$/.test(String(syscall)) && lostConnection.test(code)) return true
  return /null \(reading 'write'\)/.test(message)
}

const lostConnection = /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_|EADDR|ENOENT)/

/** A value PostgreSQL refuses (SQLSTATE class 22): the row's fault, which trying again does not mend. */
export function isRefusedValue(error: unknown): boolean {
  return error instanceof Error && error.name === 'PostgresError' && /^22/.test(String((error as { code?: unknown }).code))
}
