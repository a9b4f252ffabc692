// A process that sends what is due, to be killed while it does. Reads: database URL, mail port.
import { deliverReports } from '../../jobs/reports/deliver.ts'
import { openReportWorld, reportsTo } from './report-world.ts'

const [url = '', port = ''] = process.argv.slice(2)
const world = await openReportWorld(url, reportsTo({ mailPort: Number(port) }), [`127.0.0.1:${port}`])
await deliverReports(world.workspace, { wallNow: () => 1_000 })
await world.close()
