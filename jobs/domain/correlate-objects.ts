import type { ObjectRef, RecordFact } from './facts.ts'

export interface ObjectId {
  readonly type: string
  readonly id: string
}

/** The canonical objects of each record: an appointment is the root of its chain of reschedules (semantics.md 5). */
export interface ObjectRoots {
  of(record: RecordFact): readonly ObjectId[]
  /** How many reschedules lie between the record's objects of this type and their root. */
  depth(record: RecordFact, type: string): number
}

const asNamed: ObjectRoots = { of: (record) => record.objects, depth: () => 0 }

function continuesAnother({ objects }: RecordFact): boolean {
  for (const { id, root } of objects) if (root !== undefined && root !== id) return true
  return false
}

/** Follows `root` references within the component. A root nobody holds a record of still names its chain; a circle is named by its smallest id. */
export function groupObjects(records: readonly RecordFact[]): ObjectRoots {
  if (!records.some(continuesAnother)) return asNamed
  const parents = new Map<string, ObjectRef[]>()
  for (const record of records) {
    for (const object of record.objects) {
      if (object.root === undefined || object.root === object.id) continue
      const key = `${object.type}\0${object.id}`
      const list = parents.get(key)
      if (list === undefined) parents.set(key, [object])
      else list.push(object)
    }
  }
  const ends = new Map<string, { id: string; depth: number }>()
  const rootOf = (type: string, id: string): { id: string; depth: number } => {
    const start = `${type}\0${id}`
    const known = ends.get(start)
    if (known !== undefined) return known
    const path: string[] = [id]
    let end = id
    for (;;) {
      const list = parents.get(`${type}\0${end}`)
      if (list === undefined) break
      const next = list.map((object) => object.root!).sort()[0]!
      const again = path.indexOf(next)
      if (again !== -1) {
        end = path.slice(again).sort()[0]!
        break
      }
      path.push(next)
      end = next
    }
    const result = { id: end, depth: path.length - 1 }
    ends.set(start, result)
    return result
  }

  const cache = new Map<RecordFact, readonly ObjectId[]>()
  return {
    of(record) {
      if (record.objects.length === 0) return record.objects
      let objects = cache.get(record)
      if (objects === undefined) {
        const seen = new Map<string, ObjectId>()
        for (const { type, id } of record.objects) {
          const root = rootOf(type, id)
          seen.set(`${type}\0${root.id}`, { type, id: root.id })
        }
        objects = [...seen.values()]
        cache.set(record, objects)
      }
      return objects
    },
    depth(record, type) {
      let depth = 0
      for (const object of record.objects) if (object.type === type) depth = Math.max(depth, rootOf(object.type, object.id).depth)
      return depth
    },
  }
}
