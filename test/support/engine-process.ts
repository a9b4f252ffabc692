// A process of its own with the engine in it, to be killed. Reads: database URL, executor id, whether step two hangs.
import postgres from 'postgres'
import { enqueue, registerJob, startEngine } from '../../jobs/engine.ts'
import { startSchedule } from '../../jobs/schedule.ts'

const [url = '', executorId = '', mode = 'finish'] = process.argv.slice(2)
const owner = postgres(url, { max: 2, onnotice: () => {} })
const note = async (run: string, what: string) => {
  await owner`insert into effects (run, what, executor) values (${run}, ${what}, ${executorId})`
  process.stdout.write(`${what}\n`)
  return 1
}

registerJob<{ n: number }>('two-steps', async (_input, run) => {
  await run.step('one', () => note(run.id, 'one'))
  await run.step('two', async () => {
    if (mode === 'hang') {
      process.stdout.write('hanging\n')
      await new Promise(() => {})
    }
    return note(run.id, 'two')
  })
  return 'done'
})
registerJob('ticked', async (_input, run) => run.step('tick', () => note(run.id, 'tick')))

const engine = await startEngine({ ownerUrl: url, executorId })
const schedule =
  mode === 'tick'
    ? startSchedule({
        entries: () => [
          {
            name: 'tick:1',
            everyMs: 1000,
            tick: (id) => enqueue(owner, { job: 'ticked', queue: 'polls', id, input: null, partition: id }),
          },
        ],
        warn: () => {},
      })
    : undefined
process.stdout.write('ready\n')
process.on('SIGTERM', async () => {
  await schedule?.stop()
  await engine.stop()
  await owner.end()
})
