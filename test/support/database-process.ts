// A process of its own that uses the database of a folder until it is told to stop. Reads: the data folder.
import { startEmbedded } from '../../db/embedded.ts'

const database = await startEmbedded({ dataDir: process.argv[2] ?? '' })
process.stdout.write(`${database.url()}\n`)
process.on('SIGTERM', () => void database.stop())
