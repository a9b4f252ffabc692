import { didYouMean } from '../../jobs/domain/closest-word.ts'
import { AppError } from '../../jobs/domain/errors.ts'

export function requireConnection(id: string, all: readonly string[]): void {
  if (all.includes(id)) return
  throw new AppError(
    'not_found',
    `There is no connection "${id}" in connections.yaml. ${didYouMean(id, all) || `It has: ${all.join(', ')}.`}`,
  )
}
