import { parseArgs } from 'node:util'
import { defaultSpeed, keepSharedClock } from './clock.ts'
import { historyDays } from './plan.ts'
import { defaultPorts, demoSettings, startSimulator } from './simulator.ts'
import { day, hour } from './times.ts'

/**
 * The demo clinic as a process of its own: `node jobs/simulator/main.ts --data DIR [--speed 60] [--seed 7] [--any-port]`.
 * Prints one line of JSON with the URLs of its tools once they listen. Ends on SIGTERM, SIGINT, or when its parent goes away.
 */
const { values } = parseArgs({
  options: { data: { type: 'string' }, speed: { type: 'string' }, seed: { type: 'string' }, 'any-port': { type: 'boolean' } },
})
if (values.data === undefined) {
  process.stderr.write('The simulator needs --data DIR: the folder where its clock and truth are kept.\n')
  process.exit(1)
}
const beatMs = 1000
/** A parent that speaks to us by a channel; it may stop while we start. */
const hasParent = process.connected === true
process.stdout.on('error', () => {})
const settings = demoSettings(values.data, () => ({
  seed: Number(values.seed ?? 7),
  startAt: Math.floor(Date.now() / hour) * hour - historyDays * day,
}))
const clock = keepSharedClock(values.data, settings.startAt + historyDays * day, Number(values.speed ?? defaultSpeed))
const simulator = await startSimulator({
  ...settings,
  clock,
  dataDir: values.data,
  ports: values['any-port'] ? {} : defaultPorts,
  outages: 'live',
}).catch((error: NodeJS.ErrnoException) => {
  const message =
    error.code === 'EADDRINUSE'
      ? `The simulator's port ${'port' in error ? String(error.port) : ''} is taken. Stop the other demo, or start with --any-port.`
      : error.message
  process.stderr.write(`${message}\n`)
  process.exit(1)
})
const beating = setInterval(() => {
  clock.beat()
  simulator.tick()
}, beatMs)
const end = () => {
  clearInterval(beating)
  clock.beat()
  void simulator.stop().then(() => process.exit(0))
}
process.once('SIGTERM', end)
process.once('SIGINT', end)
process.once('disconnect', end)
process.stdout.write(`${JSON.stringify({ urls: simulator.urls, now: clock.now() })}\n`)
if (hasParent && !process.connected) end()
else process.send?.({ urls: simulator.urls, now: clock.now() }, undefined, undefined, (error) => error && end())
