import type { Deed, Made } from '../acts.ts'
import { canary } from '../canary.ts'
import { alphanumerics, randomFrom } from '../random.ts'
import { iso } from '../times.ts'
import type { World } from '../world.ts'
import type { Collection, Json, Resource, Write } from '../writes.ts'

const error: Resource = {
  resourceType: 'OperationOutcome',
  issue: [{ severity: 'error', code: 'exception', diagnostics: canary('fhir.error', 'act') }],
}

const written = (at: number, body: Resource): Write => ({
  visibleAt: at,
  updatedAt: at,
  collection: `fhir.${String(body.resourceType)}` as Collection,
  id: String(body.id),
  body,
})
const versionOf = (body: Resource) => Number((body.meta as Resource).versionId)
const versioned = (body: Resource, version: number, at: number): Resource => ({
  ...body,
  meta: { versionId: String(version), lastUpdated: iso(at) },
})
const headers = ({ body }: Made) => ({ etag: `W/"${String(((body as Resource).meta as Resource).versionId)}"` })

/** A new resource. Half of it: it comes without its code. */
export function creationOf(world: World, body: Resource, key: string | null): Deed {
  const type = String(body.resourceType)
  return {
    target: '',
    key,
    status: 201,
    headers,
    error,
    make(at, { nth, isPart }): Made {
      const id = randomFrom(world.seed, 'create', type, at, world.acts.length + nth).text(16, alphanumerics)
      const made = versioned({ ...body, id, lastModified: iso(at) }, 1, at)
      const { code: _, ...without } = made
      return {
        id,
        body: made,
        writes: [written(at, isPart ? without : made)],
        undo: (then) => [written(then, versioned({ ...made, status: 'entered-in-error', lastModified: iso(then) }, 2, then))],
      }
    },
  }
}

export function changeOf(stands: Resource, change: Readonly<Record<string, Json>>): Deed {
  const id = String(stands.id)
  return {
    target: id,
    key: null,
    status: 200,
    headers,
    error,
    make(at, { isPart }): Made {
      const version = versionOf(stands) + 1
      const modified: Resource = stands.resourceType === 'Task' ? { lastModified: iso(at) } : {}
      const made = versioned({ ...stands, ...change, ...modified }, version, at)
      return {
        id,
        body: made,
        writes: [written(at, isPart ? versioned(stands, version, at) : made)],
        undo: (then) => [written(then, versioned(stands, version + 1, then))],
      }
    },
  }
}
