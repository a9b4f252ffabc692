/** What a person or a machine may be in a workspace. A person may have several; what they allow adds up. */
export const roles = ['viewer', 'operator', 'responder', 'approver', 'engineer', 'compliance', 'admin', 'break-glass'] as const
export type Role = (typeof roles)[number]

/** Everything that can be allowed. Each route needs exactly one of them: `server/permissions.ts`. */
export const permissions = [
  /** Read findings, journeys, reports, programs, connections. */
  'see',
  /** Take data out as a file; who took what is in the audit. */
  'export',
  /** Acknowledge, claim, release, assign, snooze, comment; saved views. */
  'findings.handle',
  /** Close a finding without evidence from the tool: waive, false alarm. */
  'findings.waive',
  /** One act on many findings. */
  'findings.bulk',
  /** Ask a tool, read it now, pause and resume reading it. */
  'connections.operate',
  /** Check and plan a change of programs and runbooks; nothing is written. */
  'programs.plan',
  /** Bring a program, a runbook or a policy into force. */
  'programs.apply',
  /** Preview, start, stop and answer runs. */
  'runs.start',
  /** Approve what another person asks to run. */
  'runs.approve',
  /** Read the audit chain and verify it. */
  'audit.see',
  /** Invite, give roles, disable; tokens of machines. */
  'people.manage',
] as const
export type Permission = (typeof permissions)[number]

const viewing = ['see', 'export'] as const
const operating = [...viewing, 'findings.handle', 'connections.operate', 'programs.plan'] as const
const responding = [...operating, 'findings.waive', 'findings.bulk', 'runs.start'] as const

const allowed: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: viewing,
  operator: operating,
  responder: responding,
  approver: [...viewing, 'findings.handle', 'findings.waive', 'programs.plan', 'runs.approve'],
  engineer: [...operating, 'programs.apply'],
  compliance: [...viewing, 'audit.see'],
  admin: permissions,
  /** Nothing by itself: see `emergency`. */
  'break-glass': viewing,
}

/** What break-glass opens for a while, once a reason is given: all that mends, nothing that gives rights to others. */
const emergency: readonly Permission[] = [...responding, 'programs.apply', 'runs.approve', 'audit.see']

export interface Holder {
  readonly roles: readonly Role[]
  /** A reason was given, and its time has not run out. */
  readonly isEmergency?: boolean
}

export function permissionsOf({ roles: held, isEmergency = false }: Holder): ReadonlySet<Permission> {
  return new Set([...held.flatMap((role) => allowed[role]), ...(isEmergency && held.includes('break-glass') ? emergency : [])])
}

export function mayDo(holder: Holder, permission: Permission): boolean {
  return permissionsOf(holder).has(permission)
}

export const roleWords: Readonly<Record<Role, { readonly title: string; readonly may: string }>> = {
  viewer: { title: 'Viewer', may: 'reads everything, changes nothing' },
  operator: { title: 'Operator', may: 'handles findings and reads tools anew' },
  responder: { title: 'Responder', may: 'handles, waives and recovers: starts runs, acts on many findings' },
  approver: { title: 'Approver', may: 'approves what another person asks to run' },
  engineer: { title: 'Engineer', may: 'handles findings and brings programs and runbooks into force' },
  compliance: { title: 'Compliance', may: 'reads everything and the audit' },
  admin: { title: 'Administrator', may: 'may do all of it, and manages people and tokens' },
  'break-glass': { title: 'Break-glass', may: 'reads; in an emergency, with a reason, acts for an hour' },
}

const permissionWords: Readonly<Record<Permission, string>> = {
  see: 'see this',
  export: 'take data out',
  'findings.handle': 'handle findings',
  'findings.waive': 'close findings without evidence',
  'findings.bulk': 'act on many findings at once',
  'connections.operate': 'operate connections',
  'programs.plan': 'plan changes of programs',
  'programs.apply': 'bring programs into force',
  'runs.start': 'start or stop runs',
  'runs.approve': 'approve runs',
  'audit.see': 'read the audit',
  'people.manage': 'manage people and tokens',
}

/** Why a holder may not, and who could: `Your role viewer may not handle findings. Operators, … may.` */
export function whyNotAllowed({ roles: held }: Holder, permission: Permission): string {
  const able = roles.filter((role) => allowed[role].includes(permission)).map((role) => roleWords[role].title.toLowerCase())
  const mine =
    held.length === 0 ? 'You have no role, so you' : `As ${held.map((role) => roleWords[role].title.toLowerCase()).join(' and ')} you`
  return `${mine} may not ${permissionWords[permission]}. Who may: ${able.join(', ')}. Ask an administrator of this workspace.`
}

/** Someone must always be able to let others in. */
export function leavesNoAdministrator(
  people: readonly { readonly id: string; readonly isActive: boolean; readonly roles: readonly Role[] }[],
  changed: { readonly id: string; readonly isActive: boolean; readonly roles: readonly Role[] },
): boolean {
  const after = people.map((person) => (person.id === changed.id ? changed : person))
  return !after.some((person) => person.isActive && person.roles.includes('admin'))
}
