import { statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Clock, Logger } from '../../../core/env.ts'
import { limits } from '../../../core/limits.ts'
import type { Source } from '../options.ts'

export interface LiveDeps {
  readonly clock: Clock
  readonly log: Logger
}

/**
 * What was made from files, made anew when they change. They are looked at when somebody is about to use it, once a second at
 * most, by what the name leads to: a file written anew and a symbolic link that was turned are the same. So an idle program
 * does nothing for it, and there is nothing to close. Files that cannot be used leave what was made before in its place; the
 * log says so when they have stayed that way for a second, because until then they may be half written.
 */
export class Live<T> {
  readonly #source: Source<T>
  readonly #deps: LiveDeps
  #current: T
  /** Of the files that `#current` was made from. */
  #stamp: string
  #failed: { readonly stamp: string; readonly told: boolean } | undefined
  #lookedAtMs: number
  #looking: Promise<void> | undefined

  /** Throws what the source throws. */
  constructor(source: Source<T>, deps: LiveDeps) {
    this.#source = source
    this.#deps = deps
    // Before they are read: what changes meanwhile shows at the next look.
    this.#stamp = source.paths.map(stampNow).join()
    this.#lookedAtMs = deps.clock.elapsed()
    this.#current = source.load()
  }

  get current(): T {
    return this.#current
  }

  /** Undefined: there is nothing to wait for. Never rejects, and waits for slow files no longer than `limits.fileLookMs`. */
  look(): Promise<void> | undefined {
    if (this.#looking || this.#source.paths.length === 0) return this.#looking
    const { clock } = this.#deps
    if (clock.elapsed() - this.#lookedAtMs < limits.fileLookEveryMs) return undefined
    this.#lookedAtMs = clock.elapsed()
    this.#looking = new Promise((resolve) => {
      const cancel = clock.after(limits.fileLookMs, resolve)
      const done = (): void => {
        cancel()
        this.#looking = undefined
        resolve()
      }
      this.#compare().then(done, done)
    })
    return this.#looking
  }

  async #compare(): Promise<void> {
    const stamp = (await Promise.all(this.#source.paths.map(stampOf))).join()
    if (stamp === this.#stamp) this.#failed = undefined
    else if (stamp !== this.#failed?.stamp || !this.#failed.told) this.#load(stamp)
  }

  #load(stamp: string): void {
    const { log } = this.#deps
    const files = this.#source.paths.join(', ')
    try {
      this.#current = this.#source.load()
      this.#stamp = stamp
      this.#failed = undefined
      log.info({}, `certificate files have changed, and new connections get what is in them now: ${files}`)
    } catch (error) {
      const again = this.#failed?.stamp === stamp
      this.#failed = { stamp, told: again }
      if (again)
        log.warn(
          {},
          `certificate files have changed and cannot be used, so that what was read before stays: ${(error as Error).message}`,
        )
    }
  }
}

interface Stat {
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

const text = ({ ino, size, mtimeNs, ctimeNs }: Stat): string => `${ino} ${size} ${mtimeNs} ${ctimeNs}`

/** What is different after a change; `''` for a file that is not there. */
const stampOf = (path: string): Promise<string> => stat(path, { bigint: true }).then(text, () => '')

function stampNow(path: string): string {
  try {
    return text(statSync(path, { bigint: true }))
  } catch {
    return ''
  }
}
