import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { AppError } from '../../jobs/domain/errors.ts'

const urlsShape = z.object({ stripe: z.url(), calcom: z.url(), twilio: z.url(), fhir: z.url() })
export type DemoUrls = z.output<typeof urlsShape>
const toldShape = z.object({ urls: urlsShape, now: z.number() })

export interface DemoProcess {
  readonly urls: DemoUrls
  stop(): Promise<void>
}

const main = join(import.meta.dirname, '../../jobs/simulator/main.ts')
const urlsFile = (dataDir: string) => join(dataDir, 'demo-urls.json')
const startWithinMs = 60_000

/** The demo clinic's tools, in a process of their own. Where a port is taken they listen on any free one. */
export async function startDemo(
  dataDir: string,
  options: { readonly speed?: number | undefined; readonly seed?: number | undefined },
): Promise<DemoProcess> {
  await mkdir(dataDir, { recursive: true })
  const args = [
    main,
    '--data',
    dataDir,
    '--any-port',
    ...(options.speed === undefined ? [] : ['--speed', String(options.speed)]),
    ...(options.seed === undefined ? [] : ['--seed', String(options.seed)]),
  ]
  // A group of its own: Ctrl-C reaches us alone, and the tools answer until the engine has stopped. They end with us by the channel.
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], detached: true })
  const urls = await told(child)
  await writeFile(urlsFile(dataDir), `${JSON.stringify(urls)}\n`)
  let isStopping = false
  child.once('exit', (code) => {
    if (!isStopping)
      process.stderr.write(`The demo's tools ended by themselves (exit ${code}); their connections turn blind. Start again.\n`)
  })
  return {
    urls,
    stop: async () => {
      isStopping = true
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Where the demo's tools listen, or listened last. */
export async function readDemoUrls(dataDir: string): Promise<DemoUrls | null> {
  const text = await readFile(urlsFile(dataDir), 'utf8').catch(() => null)
  if (text === null) return null
  try {
    return urlsShape.parse(JSON.parse(text))
  } catch {
    return null
  }
}

async function told(child: ChildProcess): Promise<DemoUrls> {
  const signal = AbortSignal.timeout(startWithinMs)
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new AppError('unavailable', `The demo's tools did not start (exit ${code}). The line above says why.`)
  })
  const message = once(child, 'message', { signal }).then(([first]) => toldShape.parse(first).urls)
  ended.catch(() => {})
  try {
    return await Promise.race([message, ended])
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}
