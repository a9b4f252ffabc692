import { hash } from 'node:crypto'
import { sealing } from '../../../db/records/audit.ts'
import { addPerson } from '../../../db/records/people.ts'
import type { Role } from '../../../jobs/domain/people/roles.ts'
import type { AppDeps } from '../../deps.ts'

/** Invented, one of each role, so that what needs another person can be tried. The first is who a newcomer enters as. */
const invented: readonly { readonly key: string; readonly name: string; readonly roles: readonly Role[] }[] = [
  { key: 'ada', name: 'Ada Marsh', roles: ['admin'] },
  { key: 'tom', name: 'Tom Berg', roles: ['responder'] },
  { key: 'ines', name: 'Ines Okafor', roles: ['approver'] },
  { key: 'noor', name: 'Noor Haddad', roles: ['operator'] },
  { key: 'lee', name: 'Lee Chen', roles: ['engineer'] },
  { key: 'ruth', name: 'Ruth Almeida', roles: ['compliance', 'break-glass'] },
  { key: 'sam', name: 'Sam Poole', roles: ['viewer'] },
]

/** Brings the demo's people in; those that are there stay as they are. */
export async function bringDemoPeople({ workspace, wallNow }: Pick<AppDeps, 'workspace' | 'wallNow'>): Promise<void> {
  const createdAt = wallNow()
  for (const [index, { key, name, roles }] of invented.entries()) {
    const id = hash('sha256', `throughline demo ${key}`, 'hex').slice(0, 32)
    const person = {
      id,
      email: `${key}@demo.invalid`,
      name,
      password: null,
      isDemo: true,
      roles,
      createdAt: createdAt + index,
      createdBy: 'throughline',
    }
    const act = {
      act: 'person.join',
      actor: 'throughline',
      at: workspace.clock.now(),
      target: { kind: 'person' as const, id },
      after: { roles },
    }
    await sealing(workspace.database.db, (tx) => addPerson(tx, workspace.id, person, act))
  }
}
