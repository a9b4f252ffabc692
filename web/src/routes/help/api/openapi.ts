type Json = Readonly<Record<string, unknown>>
const block = (value: unknown): Json => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {})
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

export interface Field {
  /** Dotted from the body: `items[].owner.key` */
  readonly path: string
  readonly type: string
  readonly isRequired: boolean
  readonly note: string
}
export interface Parameter extends Field {
  readonly place: string
}
export interface Operation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly parameters: readonly Parameter[]
  readonly body: readonly Field[]
  readonly answers: readonly { readonly status: string; readonly description: string; readonly fields: readonly Field[] }[]
}
export interface Reference {
  readonly title: string
  readonly description: string
  readonly groups: readonly { readonly tag: string; readonly operations: readonly Operation[] }[]
}

const methods = ['get', 'post', 'put', 'patch', 'delete']
const deepest = 5

/** An OpenAPI 3.1 document as a page can show it; what is not as expected is left out, never thrown. */
export function readReference(document: unknown): Reference {
  const root = block(document)
  const groups = new Map<string, Operation[]>()
  for (const [path, item] of Object.entries(block(root.paths))) {
    for (const method of methods) {
      const operation = block(block(item)[method])
      if (Object.keys(operation).length === 0) continue
      const tag = text(list(operation.tags)[0]) || 'other'
      groups.set(tag, [...(groups.get(tag) ?? []), toOperation(root, method, path, operation)])
    }
  }
  const info = block(root.info)
  return {
    title: text(info.title),
    description: text(info.description),
    groups: [...groups].map(([tag, operations]) => ({ tag, operations })),
  }
}

function toOperation(root: Json, method: string, path: string, operation: Json): Operation {
  return {
    id: `${method}-${path.replaceAll(/[^\w]+/g, '-').replaceAll(/^-|-$/g, '')}`,
    method: method.toUpperCase(),
    path,
    summary: text(operation.summary),
    parameters: list(operation.parameters).map((each) => {
      const parameter = resolve(root, each)
      const schema = resolve(root, parameter.schema)
      return {
        path: text(parameter.name),
        place: text(parameter.in),
        type: typeOf(root, schema),
        isRequired: parameter.required === true,
        note: noteOf(schema),
      }
    }),
    body: fieldsOf(root, jsonOf(operation.requestBody)),
    answers: Object.entries(block(operation.responses)).map(([status, answer]) => ({
      status,
      description: text(block(answer).description),
      // Every problem is the same shape: it is said once, above.
      fields: status.startsWith('2') ? fieldsOf(root, jsonOf(answer)) : [],
    })),
  }
}

const jsonOf = (holder: unknown): unknown => block(block(block(holder).content)['application/json']).schema

function resolve(root: Json, schema: unknown): Json {
  const { $ref } = block(schema)
  if (typeof $ref !== 'string' || !$ref.startsWith('#/')) return block(schema)
  return block(
    $ref
      .slice(2)
      .split('/')
      .reduce<unknown>((inner, key) => block(inner)[key], root),
  )
}

function fieldsOf(root: Json, given: unknown, path = '', depth = 0): Field[] {
  const schema = merged(root, resolve(root, given))
  if (depth > deepest) return []
  if (schema.items) return fieldsOf(root, schema.items, `${path}[]`, depth + 1)
  const required = list(schema.required)
  return Object.entries(block(schema.properties)).flatMap(([name, property]) => {
    const inner = merged(root, resolve(root, property))
    const here = path ? `${path}.${name}` : name
    return [
      { path: here, type: typeOf(root, resolve(root, property)), isRequired: required.includes(name), note: noteOf(inner) },
      ...fieldsOf(root, inner, here, depth + 1),
    ]
  })
}

/** The parts of an `allOf`, or the one part of an `anyOf` beside null, as one schema. */
function merged(root: Json, schema: Json): Json {
  const parts = list(schema.allOf).map((part) => merged(root, resolve(root, part)))
  if (parts.length > 0)
    return {
      ...schema,
      properties: Object.assign({}, ...parts.map((part) => block(part.properties)), block(schema.properties)),
      required: parts.flatMap((part) => list(part.required)).concat(list(schema.required)),
    }
  const others = [...list(schema.anyOf), ...list(schema.oneOf)].map((part) => resolve(root, part)).filter((part) => part.type !== 'null')
  return others.length === 1 && others[0] ? merged(root, others[0]) : schema
}

function typeOf(root: Json, schema: Json): string {
  const parts = [...list(schema.anyOf), ...list(schema.oneOf)]
  if (parts.length > 0) return [...new Set(parts.map((part) => typeOf(root, resolve(root, part))))].join(' or ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (list(schema.enum).length > 0) return list(schema.enum).map(String).join(' | ')
  const type = Array.isArray(schema.type)
    ? schema.type.map(String).join(' or ')
    : text(schema.type) || (schema.properties ? 'object' : 'any')
  if (type === 'array') return `list of ${typeOf(root, resolve(root, schema.items))}`
  return text(schema.format) ? `${type} (${text(schema.format)})` : type
}

function noteOf(schema: Json): string {
  const said = [
    text(schema.description),
    schema.default === undefined ? '' : `default ${JSON.stringify(schema.default)}`,
    schema.example === undefined ? '' : `e.g. ${JSON.stringify(schema.example)}`,
    typeof schema.maximum === 'number' && schema.maximum < Number.MAX_SAFE_INTEGER ? `at most ${schema.maximum}` : '',
  ]
  return said.filter(Boolean).join(', ')
}

/** A command that asks the same, for a terminal. */
export function asCurl(operation: Operation, origin: string): string {
  const path = operation.path.replaceAll(/\{(\w+)\}/g, '$${$1}')
  const wanted = operation.body.filter((field) => field.isRequired && !/[.[]/.test(field.path))
  const data = Object.fromEntries(wanted.map((field) => [field.path, field.type]))
  return [
    `curl ${operation.method === 'GET' ? '' : `-X ${operation.method} `}"${origin}${path}"`,
    ...(operation.body.length > 0 ? [`-H 'content-type: application/json'`, `-d '${JSON.stringify(data)}'`] : []),
  ].join(' \\\n  ')
}
