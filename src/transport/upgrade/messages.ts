import type { Family, Fields } from '../../messages/fields.ts'

/** Headers by their names: V2Ray has a list of them, Xray a map. */
export const headersOf = (fields: Fields, family: Family): Record<string, string> =>
  Object.fromEntries(
    family === 'xray'
      ? fields.entries('header')
      : fields.messages('header').map((header) => [header.text('key'), header.text('value')]),
  )
