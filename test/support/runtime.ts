/** What a runtime lacks: tests of that are skipped there, by name. docs/runtimes.md says what it means for users. */
import { describe, it } from 'vitest'

export const onBun = process.versions.bun !== undefined

/** `it`, skipped on Bun, which lacks what is named here. */
export const unlessBun = (_lack: string) => (onBun ? it.skip : it)

/** The same in a compliance suite, for the cases whose names are like this. */
export const suiteUnlessBun = (lack: string, like: RegExp) => ({
  describe: (name: string, body: () => void) => describe(name, body),
  it: (name: string, body: () => Promise<void>) => (like.test(name) ? unlessBun(lack) : it)(name, body),
})

/** Cases of connSuite in which a write has to wait. */
export const waitingWrites = /asks to wait|a write that (?:had to wait|waits)/
