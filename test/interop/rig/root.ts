import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder of package-lock.json: the nearest one above this file, which runs from its source or compiled into a folder below. */
export const projectRoot = ((): string => {
  let folder = import.meta.dirname
  while (!existsSync(join(folder, 'package-lock.json'))) {
    if (folder === dirname(folder)) throw new Error(`there is no package-lock.json above ${import.meta.dirname}`)
    folder = dirname(folder)
  }
  return folder
})()
