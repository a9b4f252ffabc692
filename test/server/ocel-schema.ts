const attribute = (...more: string[]) => ({
  type: 'array',
  items: {
    type: 'object',
    properties: Object.fromEntries(
      ['name', ...more].map((name) => [name, name === 'time' ? { type: 'string', format: 'date-time' } : { type: 'string' }]),
    ),
    required: ['name', ...more],
  },
})
const types = {
  type: 'array',
  items: { type: 'object', properties: { name: { type: 'string' }, attributes: attribute('type') }, required: ['name', 'attributes'] },
}
const relationships = {
  type: 'array',
  items: {
    type: 'object',
    properties: { objectId: { type: 'string' }, qualifier: { type: 'string' } },
    required: ['objectId', 'qualifier'],
  },
}

/** What https://www.ocel-standard.org/2.0/ocel20-schema-json.json (draft-07, read 2026-08) asks of a log. */
export const ocelSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: {
    eventTypes: types,
    objectTypes: types,
    events: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          id: { type: 'string' },
          type: { type: 'string' },
          time: { type: 'string', format: 'date-time' },
          attributes: attribute('value'),
          relationships,
        },
        required: ['id', 'type', 'time'],
      },
    },
    objects: {
      type: 'array',
      items: {
        type: 'object',
        properties: { id: { type: 'string' }, type: { type: 'string' }, relationships, attributes: attribute('value', 'time') },
        required: ['id', 'type'],
      },
    },
  },
  required: ['eventTypes', 'objectTypes', 'events', 'objects'],
}
