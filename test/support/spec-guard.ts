import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ValidateFunction } from 'ajv'
import { Ajv } from 'ajv'

export type GuardedTool = 'stripe' | 'calcom' | 'twilio' | 'fhir'

export interface SpecGuard {
  /** What the vendor's own description finds wrong with a request; empty when nothing. */
  request(
    tool: GuardedTool,
    method: string,
    url: string,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    /** Of a write. */
    body?: string,
  ): readonly string[]
  /** The same for the answer to it. */
  response(tool: GuardedTool, method: string, url: string, status: number, body: unknown): readonly string[]
}

type Json = Readonly<Record<string, unknown>>
interface Parameter {
  readonly name: string
  readonly in: 'query' | 'header' | 'path'
  readonly required?: boolean
  readonly schema?: Json
  readonly style?: string
}
interface Operation {
  readonly parameters: readonly Parameter[]
  readonly answers: Json
  readonly writes: { readonly content: Readonly<Record<string, { readonly schema: Json }>>; readonly pointer: string } | null
}
interface Description {
  readonly document: Json
  readonly operations: readonly {
    readonly method: string
    readonly pattern: RegExp
    readonly literals: number
    readonly operation: Operation
  }[]
}

const files: Record<Exclude<GuardedTool, 'fhir'>, string> = {
  stripe: 'stripe/openapi.v1.payments.json',
  calcom: 'reference-only/calcom/openapi.v2.bookings.json',
  twilio: 'twilio/openapi.api.v2010.messages.json',
}

/**
 * Where a description says less than the service does (../shared/specs/README.md, known lies); each with the page that says so.
 */
const newer: Partial<Record<GuardedTool, Readonly<Record<string, (schema: Record<string, unknown>) => Record<string, unknown>>>>> = {
  // https://docs.stripe.com/api/expanding_objects: an expandable id may be the object itself.
  stripe: {
    'payment_intent.latest_charge': (schema) => ({ anyOf: [schema, { $ref: '#/components/schemas/charge' }] }),
    'charge.balance_transaction': () => ({}),
  },
}

/** A strict reading of the vendors' own API descriptions, or null where `../shared/specs` is not there. Nothing is compiled before it is asked for. */
export function openSpecGuard(folder = resolve(import.meta.dirname, '../../../shared/specs')): SpecGuard | null {
  if (!existsSync(join(folder, 'README.md'))) return null
  const descriptions = new Map<string, Description>()
  const compiled = new Map<string, ValidateFunction>()
  const compilers = new Map<string, Ajv>()

  const describe = (tool: Exclude<GuardedTool, 'fhir'>): Description => {
    const known = descriptions.get(tool)
    if (known) return known
    const document = normalise(JSON.parse(readFileSync(join(folder, files[tool]), 'utf8')), tool) as Json
    const made = { document, operations: operationsOf(document) }
    descriptions.set(tool, made)
    return made
  }

  /** One compiler per document: what two definitions share is compiled once. */
  const validate = (name: string, document: () => Json, ref: string): ValidateFunction => {
    const key = `${name} ${ref}`
    const known = compiled.get(key)
    if (known) return known
    let ajv = compilers.get(name)
    if (!ajv) {
      ajv = new Ajv({ strict: false, validateFormats: false, validateSchema: false, inlineRefs: false, logger: false })
      const { $schema: _, id: __, ...schemas } = document() as Record<string, unknown>
      ajv.addSchema(schemas, 'doc')
      compilers.set(name, ajv)
    }
    const made = ajv.compile({ $ref: `doc${ref}` })
    compiled.set(key, made)
    return made
  }

  const fhir = () => JSON.parse(readFileSync(join(folder, 'fhir/fhir-r4.schema.json'), 'utf8')) as Json
  const searchParameters = new Set<string>()
  const fhirSearches = () => {
    if (searchParameters.size === 0) {
      const { searchParameters: all } = JSON.parse(readFileSync(join(folder, 'fhir/search-parameters.json'), 'utf8')) as {
        searchParameters: readonly { name: string; resource: string }[]
      }
      for (const one of all) searchParameters.add(`${one.resource}.${one.name}`)
    }
    return searchParameters
  }

  return {
    request(tool, method, url, headers, body = '') {
      const target = new URL(url, 'https://tool.invalid')
      const type = String(headers['content-type'] ?? '').split(';')[0] ?? ''
      if (tool === 'fhir') {
        const problems = fhirRequest(target, fhirSearches())
        if (method !== 'POST') return problems
        return [...problems, ...fhirResponse(JSON.parse(body), (name) => validate('fhir', fhir, `#/definitions/${name}`))]
      }
      const found = find(describe(tool), method, target.pathname)
      if (!found) return [`${method} ${target.pathname} is not described`]
      const problems = requestProblems(found.operation, target, headers)
      if (method === 'GET' || body === '') return problems
      const described = found.operation.writes
      const schema = described?.content[type]?.schema
      if (!described || !schema) return [...problems, `${method} ${target.pathname} takes no ${type}`]
      const check = validate(tool, () => describe(tool).document, `#${described.pointer}/${inPointer(type)}/schema`)
      const fields = fieldsOf(schema, describe(tool).document)
      const value = type === 'application/x-www-form-urlencoded' ? formValue(body, fields) : (JSON.parse(body) as Record<string, unknown>)
      const odd = Object.keys(value).filter((name) => fields[name] === undefined)
      return [...problems, ...odd.map((name) => `field ${name} is not described`), ...(check(value) ? [] : [problemOf(check)])]
    },

    response(tool, method, url, status, body) {
      if (status < 200 || status > 299) return []
      const target = new URL(url, 'https://tool.invalid')
      if (tool === 'fhir') return fhirResponse(body, (type) => validate('fhir', fhir, `#/definitions/${type}`))
      const found = find(describe(tool), method, target.pathname)
      if (!found) return [`${method} ${target.pathname} is not described`]
      const pointer = answerPointer(found, status)
      if (pointer === null) return [`${method} ${target.pathname} has no answer ${status}`]
      const check = validate(tool, () => describe(tool).document, `#${pointer}`)
      return check(body) ? [] : [problemOf(check)]
    },
  }
}

function problemOf(check: ValidateFunction): string {
  const [first] = check.errors ?? []
  return first
    ? `${first.instancePath || '(body)'} ${first.message ?? 'does not fit'} ${JSON.stringify(first.params).slice(0, 120)}`
    : 'does not fit'
}

/** OpenAPI 3.0 to JSON Schema: `nullable`, also without a type, and beside `$ref` or an enum. */
function normalise(node: unknown, tool: GuardedTool, owner = '', inProperties = false): unknown {
  if (Array.isArray(node)) return node.map((item) => normalise(item, tool, owner))
  if (typeof node !== 'object' || node === null) return node
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(node)) {
    if (key === 'discriminator' || key === 'example' || key === 'examples' || key === 'description') {
      if (!inProperties) continue
    }
    const path = inProperties ? `${owner}.${key}` : owner
    const made = normalise(value, tool, key === 'schemas' ? '' : owner === '' ? key : owner, key === 'properties' && !inProperties)
    const change = inProperties ? newer[tool]?.[path] : undefined
    out[key] = change && typeof made === 'object' && made !== null ? change(made as Record<string, unknown>) : made
  }
  if (inProperties || out.nullable !== true) return out
  const { nullable: _, ...rest } = out
  return { anyOf: [rest, { type: 'null' }] }
}

function operationsOf(document: Json): Description['operations'] {
  const made: { method: string; pattern: RegExp; literals: number; operation: Operation }[] = []
  for (const [path, item] of Object.entries(document.paths as Record<string, Record<string, Json>>)) {
    for (const method of ['get', 'post', 'patch', 'put', 'delete']) {
      const operation = item[method] as
        | { parameters?: readonly Parameter[]; responses?: Json; requestBody?: { content: Readonly<Record<string, { schema: Json }>> } }
        | undefined
      if (!operation) continue
      const shared = (item.parameters ?? []) as unknown as readonly Parameter[]
      const escaped = path.split(/\{[^}]+\}/).map((part) => part.replace(/[.*+?^$()|[\]\\]/g, '\\$&'))
      made.push({
        method,
        pattern: new RegExp(`^${escaped.join('[^/]+')}$`),
        literals: escaped.join('').length,
        operation: {
          parameters: [...shared, ...(operation.parameters ?? [])],
          answers: { ...operation.responses, pointer: `/paths/${path.replaceAll('~', '~0').replaceAll('/', '~1')}/${method}/responses` },
          writes: operation.requestBody
            ? { content: operation.requestBody.content, pointer: `/paths/${inPointer(path)}/${method}/requestBody/content` }
            : null,
        },
      })
    }
  }
  return made.sort((a, b) => b.literals - a.literals)
}

function find(description: Description, method: string, path: string) {
  return description.operations.find((one) => one.method === method.toLowerCase() && one.pattern.test(path))
}

function answerPointer(found: { operation: Operation }, status: number): string | null {
  const answers = found.operation.answers as Record<string, { content?: Record<string, unknown> }> & { pointer: string }
  const key = answers[String(status)] ? String(status) : answers.default ? 'default' : null
  if (key === null || !answers[key]?.content?.['application/json']) return null
  const inPointer = (part: string) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))
  const base = answers.pointer
    .split('/')
    .map((part) => encodeURIComponent(part))
    .join('/')
  return `${base}/${key}/content/${inPointer('application/json')}/schema`
}

const inPointer = (part: string) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))

/** The fields a body may have, those of its alternatives together. */
function fieldsOf(schema: Json, document: Json): Readonly<Record<string, Json>> {
  if (typeof schema.$ref === 'string') {
    const target = schema.$ref
      .slice(2)
      .split('/')
      .reduce<unknown>((node, part) => (node as Json)[part], document)
    return fieldsOf(target as Json, document)
  }
  const alternatives = (schema.oneOf ?? schema.anyOf ?? []) as readonly Json[]
  return Object.assign(
    { ...(schema.properties as Record<string, Json> | undefined) },
    ...alternatives.map((one) => fieldsOf(one, document)),
  )
}

/** A form as its schema reads it: `a[b]=c` nests, numbers are numbers. */
function formValue(body: string, fields: Readonly<Record<string, Json>>): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  for (const [name, text] of new URLSearchParams(body)) {
    const [, outer, inner] = /^([^[]+)\[([^\]]+)\]$/.exec(name) ?? []
    if (outer !== undefined && inner !== undefined) value[outer] = { ...(value[outer] as object | undefined), [inner]: text }
    else value[name] = fields[name]?.type === 'integer' && /^-?\d+$/.test(text) ? Number(text) : text
  }
  return value
}

function requestProblems(
  operation: Operation,
  url: URL,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): readonly string[] {
  const problems: string[] = []
  const declared = operation.parameters.filter((one) => one.in === 'query')
  for (const [key, value] of url.searchParams) {
    const parameter = declared.find((one) => key === one.name || (one.style === 'deepObject' && key.startsWith(`${one.name}[`)))
    if (!parameter) problems.push(`query ${key} is not described`)
    else if (!fits(parameter, value)) problems.push(`query ${key} does not fit its schema`)
  }
  for (const one of operation.parameters) {
    if (!one.required) continue
    if (one.in === 'header' && headers[one.name.toLowerCase()] === undefined) problems.push(`header ${one.name} is missing`)
    if (one.in === 'query' && !url.searchParams.has(one.name)) problems.push(`query ${one.name} is missing`)
  }
  return problems
}

function fits(parameter: Parameter, value: string): boolean {
  const schema = parameter.schema as { type?: string; enum?: readonly string[]; minimum?: number; maximum?: number } | undefined
  if (!schema || parameter.style === 'deepObject') return true
  if (schema.enum && !schema.enum.includes(value)) return false
  if (schema.type === 'integer' && !/^-?\d+$/.test(value)) return false
  if (schema.type === 'number' && Number.isNaN(Number(value))) return false
  if (schema.minimum !== undefined && Number(value) < schema.minimum) return false
  return schema.maximum === undefined || Number(value) <= schema.maximum
}

const searchResults = new Set(['_sort', '_count', '_include', '_summary', '_elements', '_total', '_offset', '_cursor'])

function fhirRequest(url: URL, known: ReadonlySet<string>): readonly string[] {
  const parts = url.pathname.split('/').filter(Boolean)
  const at = parts.findLastIndex((part) => /^[A-Z][A-Za-z]{3,}$/.test(part))
  const [type, id] = parts.slice(at)
  if (at < 0 || type === undefined) return [`${url.pathname} names no resource`]
  if (id !== undefined) return []
  return [...url.searchParams.keys()]
    .map((key) => key.split(':')[0] ?? key)
    .filter((key) => !searchResults.has(key) && !known.has(`${type}.${key}`) && !known.has(`Resource.${key}`))
    .map((key) => `search parameter ${key} is not described for ${type}`)
}

/** The schema of FHIR names every element; each resource is checked by its own definition, so that one message names one fault. */
function fhirResponse(body: unknown, definition: (type: string) => ValidateFunction): readonly string[] {
  const bundle = body as { resourceType?: unknown; entry?: readonly { resource?: { resourceType?: unknown } }[] }
  const resources = bundle.resourceType === 'Bundle' ? (bundle.entry ?? []).map((entry) => entry.resource) : [bundle]
  const problems: string[] = []
  for (const resource of resources) {
    const type = String(resource?.resourceType)
    if (!/^[A-Z][A-Za-z]+$/.test(type)) return ['a resource without a type']
    const check = definition(type)
    if (!check(resource)) problems.push(`${type} ${problemOf(check)}`)
  }
  if (bundle.resourceType !== 'Bundle') return problems
  const frame = definition('Bundle')
  const { entry: _, ...rest } = bundle
  if (!frame(rest)) problems.push(`Bundle ${problemOf(frame)}`)
  return problems.slice(0, 5)
}
