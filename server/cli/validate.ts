import { resolve } from 'node:path'
import { readConfiguration } from '../../jobs/configuration.ts'
import { connectors } from '../../jobs/connectors/index.ts'
import { formatProblem } from '../../jobs/domain/yaml-source.ts'
import { demoDirectory } from '../../jobs/simulator/demo-configuration.ts'
import { demoSecrets } from '../../jobs/simulator/simulator.ts'

/** Reads a configuration folder and tells every mistake with file and line. Touches no tool and no database. */
export async function validate(
  options: { readonly config?: string },
  say: (line: string) => void,
  warn: (line: string) => void,
): Promise<number> {
  const directory = options.config === undefined ? demoDirectory : resolve(options.config)
  const { configuration, problems, notices } = await readConfiguration(
    directory,
    options.config === undefined ? demoSecrets : process.env,
    connectors,
  )
  for (const notice of notices) warn(notice)
  for (const problem of problems) warn(formatProblem(problem))
  if (problems.length > 0 || configuration === null) {
    warn(`${problems.length === 1 ? 'One mistake' : `${problems.length} mistakes`} in ${directory}.`)
    return 1
  }
  const { runbooks = [] } = configuration
  const promises = configuration.programs.reduce((sum, { program }) => sum + program.expectations.length, 0)
  say(
    `${directory} is valid: ${counted(configuration.connections.length, 'connection')}, ${counted(configuration.programs.length, 'program')} with ${counted(promises, 'promise')}, ${runbooks.length === 0 ? '' : `${counted(runbooks.length, 'runbook')}, `}${counted(configuration.owners.length, 'owner')}.`,
  )
  return 0
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
