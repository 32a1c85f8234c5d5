/** Numbers and objects as the API's schemas write them. */
import { z } from '@hono/zod-openapi'
import { distance } from 'fastest-levenshtein'

/** A whole number from 0. */
export const whole = (description: string, example: number) => z.number().int().min(0).openapi({ description, example })

/** Bytes per second in an answer. */
export const speedJson = (description: string, example: number) =>
  z
    .number()
    .min(0)
    .openapi({ description: `Plaintext bytes per second. ${description}`, example })

/** An object of a request: a field that is not known is an error, which names the nearest that is. */
export function strict<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? unknownText(issue.keys, Object.keys(shape)) : undefined),
  })
}

function unknownText(keys: readonly string[], known: readonly string[]): string {
  const key = keys[0] ?? ''
  const near = nearest(key, known)
  return `unknown field ${JSON.stringify(key.slice(0, 64))}${near === undefined ? `; known are ${known.join(', ')}` : `; did you mean "${near}"?`}`
}

function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 64) return undefined
  const wanted = word.toLowerCase()
  const ranked = known
    .map((name) => ({ name, far: name.toLowerCase() === wanted ? 0 : distance(wanted, name.toLowerCase()) }))
    .sort((a, b) => a.far - b.far)
  const [best] = ranked
  return best && best.far <= Math.max(1, Math.min(2, word.length - 2)) ? best.name : undefined
}
