import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { publishedSchema, publishedSchemaNames, publishedSchemaText } from '../jobs/published-schemas.ts'

const docs = fileURLToPath(new URL('../docs/', import.meta.url))

describe('the published JSON Schemas', () => {
  it.each(publishedSchemaNames)('docs/schemas/%s.schema.json is current (UPDATE_SCHEMAS=1 writes it)', (name) => {
    const path = join(docs, 'schemas', `${name}.schema.json`)
    if (process.env.UPDATE_SCHEMAS) writeFileSync(path, publishedSchemaText(name))
    expect(readFileSync(path, 'utf8')).toBe(publishedSchemaText(name))
  })

  const ajv = new Ajv2020({ allowUnionTypes: true })
  const validators = Object.fromEntries(publishedSchemaNames.map((name) => [name, ajv.compile(publishedSchema(name))]))
  const files = readdirSync(join(docs, 'examples'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'))

  it.each(files)('accept docs/examples/%s', (file) => {
    const kind = file.includes('programs/')
      ? 'program'
      : file.includes('runbooks/')
        ? 'runbook'
        : file.endsWith('owners.yaml')
          ? 'owners'
          : 'connections'
    const validate = validators[kind]!
    const valid = validate(parse(readFileSync(join(docs, 'examples', file), 'utf8')))
    expect({ valid, errors: validate.errors }).toEqual({ valid: true, errors: null })
  })

  it('refuse what the parser refuses', () => {
    const program = { program: 'p', owner: 'o', journey: {}, steps: { a: { stream: 'x.y' } } }
    expect(validators.program!({ ...program, expectations: { e: { never: 'a' } } })).toBe(true)
    expect(validators.program!({ ...program, expectations: { e: { never: 'a', withn: '15m' } } })).toBe(false)
    expect(validators.program!({ ...program, expectations: { e: { stuck_after: '15 mins' } } })).toBe(false)
  })
})
