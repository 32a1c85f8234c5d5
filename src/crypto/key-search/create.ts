import { twin } from '../twin.ts'
import type { KeySearch } from './model.ts'
import { TableKeySearch } from './table.ts'
import { TwinKeySearch } from './twin.ts'

export type { KeySearch } from './model.ts'

/** The fastest there is: the native twin's where the processor has instructions for it, else the one by tables. */
export function createKeySearch(): KeySearch {
  const search = twin()?.search
  return search ? new TwinKeySearch(search) : new TableKeySearch()
}
