import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defaultPorts } from './simulator.ts'
import type { Tool } from './outages.ts'
import { tools } from './outages.ts'

export const demoDirectory = join(import.meta.dirname, 'demo')

/** Copies the demo's configuration folder to `directory` with the ports its tools really listen on, and any pace the caller allows. */
export function writeDemoConfiguration(directory: string, urls: Readonly<Record<Tool, string>>, requestsPerSecond?: number): string {
  cpSync(demoDirectory, directory, { recursive: true })
  const path = join(directory, 'connections.yaml')
  let text = readFileSync(path, 'utf8')
  for (const tool of tools) text = text.replaceAll(`127.0.0.1:${defaultPorts[tool]}`, new URL(urls[tool]).host)
  if (requestsPerSecond !== undefined) text = text.replaceAll(/requests_per_second: \d+/g, `requests_per_second: ${requestsPerSecond}`)
  writeFileSync(path, text)
  return directory
}
