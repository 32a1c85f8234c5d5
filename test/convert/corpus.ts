/** Files that conversions are tried with. */
import { readdirSync, readFileSync } from 'node:fs'
import type { SourceText } from '../../src/config/load.ts'

const folder = (path: string): SourceText[] => {
  const at = new URL(path, import.meta.url)
  return readdirSync(at)
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({ name, text: readFileSync(new URL(name, at), 'utf8') }))
}

export const examples = folder('../config/examples/')
export const strangers = folder('../config/strangers/')
