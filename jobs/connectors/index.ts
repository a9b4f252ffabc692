import { calcom } from './calcom/index.ts'
import type { Connector } from './connector.ts'
import { fileDrop } from './file-drop/index.ts'
import { fhir } from './fhir/index.ts'
import { stripe } from './stripe/index.ts'
import { twilio } from './twilio/index.ts'

/** Every tool we can read. A new one is a folder and a line here. */
export const connectors: readonly Connector[] = [stripe, calcom, twilio, fhir, fileDrop]

export function connectorNamed(id: string): Connector | undefined {
  return connectors.find((one) => one.describe().id === id)
}
