import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { StorageError } from '../../db/storage-error.ts'
import { AppError } from '../../jobs/domain/errors.ts'
import { readServerConfig } from '../config.ts'
import { reportFormats } from '../report-formats.ts'
import { apply } from './apply.ts'
import { auditVerify } from './audit-verify.ts'
import { check } from './check.ts'
import { findings } from './findings.ts'
import { journey } from './journey.ts'
import { plan } from './plan.ts'
import { poll } from './poll.ts'
import { reconcile } from './reconcile.ts'
import { report } from './report.ts'
import { start } from './start.ts'
import { validate } from './validate.ts'

const say = (line: string) => void process.stdout.write(`${line}\n`)
const warn = (line: string) => void process.stderr.write(`${line}\n`)
const write = (text: string) => new Promise<void>((resolve) => process.stdout.write(text, () => resolve()))

const program = new Command('throughline')
  .description('Shows who fell through between the tools of a program, where, and who has it.')
  .exitOverride()
  .addHelpText('after', '\nExit codes: 0 well, 1 an error, 2 findings or changes. Settings are environment variables: see .env.example.')

const withConfig = (command: Command) => command.option('--config <dir>', 'folder with connections.yaml, owners.yaml and programs/')
const formats = () => new Option('--format <format>', 'how to print').choices(['table', 'json']).default('table')
let code = 0
const run = (work: () => Promise<number>) => async () => {
  code = await work()
}

withConfig(program.command('start').description('run everything; without --config the demo clinic'))
  .option('--speed <factor>', "speed of the demo's clock", numberBetween(0, 3600))
  .option('--seed <number>', 'seed of a new demo', numberBetween(0, 2 ** 31))
  .option('--apply', 'bring the programs of the folder into force, as throughline apply does', false)
  .action((options) => run(() => start(readServerConfig(process.env), options, warn))())

withConfig(program.command('validate').description('read a configuration and tell every mistake with file and line')).action((options) =>
  run(() => validate(options, say, warn))(),
)

const withDays = (command: Command) =>
  command
    .addOption(new Option('--days <number>', 'how much history to judge by').argParser(numberBetween(1, 3_650)).default(30))
    .option('--now <time>', 'the clock to judge at, ISO 8601 with an offset; without it the running clock', isoTime)

withDays(
  withConfig(program.command('plan').description('what the programs of a folder would change, and which findings would appear and vanish')),
)
  .addOption(formats())
  .action((options) => run(() => plan(readServerConfig(process.env), options, write, warn))())

withDays(withConfig(program.command('apply').description('bring the programs of a folder into force')))
  .option('--plan <id>', 'carry out exactly this plan, or nothing')
  .option('--allow-delete', 'programs that are no longer in the folder go out of force', false)
  .option('--yes', 'do not ask', false)
  .action((options) => run(() => apply(readServerConfig(process.env), options, write, warn))())

withConfig(program.command('check').description('ask tools whether they answer').argument('[connection]')).action((connection, options) =>
  run(() => check(readServerConfig(process.env), connection, options, say))(),
)

withConfig(program.command('poll').description('read one connection now').argument('<connection>'))
  .option('--accept-shrink', 'what a sweep no longer saw and asked about is really gone', false)
  .action((connection, options) => run(() => poll(readServerConfig(process.env), connection, options, say))())

withConfig(program.command('reconcile').description('read every stream once to its end and judge at one clock'))
  .option('--now <time>', 'the clock to judge at, ISO 8601 with an offset; without it the running clock', isoTime)
  .option('--fresh', 'start from an empty record', false)
  .action((options) => run(() => reconcile(readServerConfig(process.env), options, say, warn))())

withConfig(program.command('findings').description('list findings'))
  .addOption(formats())
  .option('--all', 'ended ones too', false)
  .option('--site <key>', 'only those of this site; none: those without one')
  .option('--filter <address>', 'the filters of a list in the console: what stands after the question mark of its address')
  .action((options) => run(() => findings(readServerConfig(process.env), options, write))())

withConfig(
  program.command('journey').description('show one journey across its tools').argument('<id>', 'of the journey, its subject or its object'),
)
  .addOption(formats())
  .action((id, options) => run(() => journey(readServerConfig(process.env), id, options, write))())

withConfig(program.command('report').description('print the gap report of a day; exit code 2 when it ended with open findings'))
  .requiredOption('--date <day>', 'the day, such as 2026-03-02, in the zone of the workspace')
  .addOption(new Option('--format <format>', 'how to print').choices([...reportFormats]).default('text'))
  .action((options) => run(() => report(readServerConfig(process.env), options, write))())

const audit = program.command('audit').description('the record of who did what')
withConfig(audit.command('verify').description('read the whole audit chain; exit code 2 when it does not hold'))
  .option('--checkpoint <file>', 'compare with the checkpoints in this file; without it with those that are written by itself')
  .action((options) => run(() => auditVerify(readServerConfig(process.env), options, say))())

// What nobody awaited ends the process too, without the words it may quote.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) process.on(event, (error) => process.exit(failed(error)))

try {
  await program.parseAsync()
} catch (error) {
  code = failed(error)
}
process.exitCode = code

function failed(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode
  if (error instanceof AppError || error instanceof StorageError) {
    warn(error.message)
    return 1
  }
  const { name, stack } = error instanceof Error ? error : { name: 'Error', stack: '' }
  const place = /((?:server|jobs|db)\/[\w./-]+:\d+)/.exec(stack ?? '')?.[1]
  warn(
    `Something went wrong on our side: ${name}${place === undefined ? '' : ` at ${place}`}. Nothing of what was read is lost; run it again.`,
  )
  return 1
}

function isoTime(text: string): number {
  const isComplete = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/.test(text)
  const at = Date.parse(text)
  if (!isComplete || Number.isNaN(at)) throw new InvalidArgumentError('Expected a time with its offset, such as 2026-03-02T09:30:00Z.')
  return at
}

function numberBetween(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text)
    if (!(value >= least && value <= most)) throw new InvalidArgumentError(`Expected a number from ${least} to ${most}.`)
    return value
  }
}
