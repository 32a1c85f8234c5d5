/**
 * How the command is loaded from the few files that scripts/bundle.mjs makes of it. A part is evaluated when something of it
 * is first used, and not when another one imports it: a configuration asks for little of what there is. Beside a part there
 * may be a code cache, made with the build; where it does not fit, because Node or its flags are others, V8 compiles.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { constants, Script } from 'node:vm'

type Exports = Record<string, unknown>
type Evaluate = (this: Exports, exports: Exports, require: Require, filename: string) => void
type Require = (id: string) => unknown

/** Where the cache of a file lies; those of several versions of Node may lie side by side. */
export const cacheOf = (file: string): string => `${file}.${process.version}-${process.arch}.cache`

export class Parts {
  readonly #folder: string
  /** What each part exports. */
  readonly #names: Readonly<Record<string, readonly string[]>>
  readonly #known = new Map<string, Exports>()
  readonly #node: Require
  /** Of the parts that are loaded, by their files. */
  readonly scripts = new Map<string, Script>()

  constructor(folder: string, names: Readonly<Record<string, readonly string[]>>) {
    this.#folder = folder
    this.#names = names
    this.#node = createRequire(join(folder, 'parts.js'))
  }

  /** What a part exports: it is evaluated when one of these is first read. */
  get(name: string): Exports {
    const known = this.#known.get(name)
    if (known) return known
    const unread: Exports = {}
    const exports: Exports = Object.create(unread)
    this.#known.set(name, exports)
    const read = (key: string): unknown => {
      const elsewhere = /^late:(.*)/.exec(name)?.[1]
      const loaded = elsewhere === undefined ? {} : (this.#node(elsewhere) as Exports)
      // From here on they are found there, by parts that are in the middle of this one's evaluation too.
      Object.setPrototypeOf(exports, loaded)
      if (elsewhere !== undefined) return loaded[key]
      try {
        this.#evaluate(name, loaded)
      } catch (error) {
        Object.setPrototypeOf(exports, unread)
        throw error
      }
      return loaded[key]
    }
    for (const key of this.#names[name]!) Object.defineProperty(unread, key, { get: () => read(key) })
    return exports
  }

  #require(id: string): unknown {
    if (id.startsWith('./')) return this.get(id.slice(2))
    return id.startsWith('late:') ? this.get(id) : this.#node(id)
  }

  #evaluate(name: string, exports: Exports): void {
    const file = join(this.#folder, name)
    // One byte a letter: the bundler writes nothing but ASCII.
    const source = readFileSync(file, 'latin1')
    const cachedData = readOptional(cacheOf(file))
    const script = new Script(`(function (exports, require, __filename) {${source}\n})`, {
      filename: file,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      ...(cachedData && { cachedData }),
    })
    this.scripts.set(file, script)
    const evaluate = script.runInThisContext() as Evaluate
    evaluate.call(exports, exports, (id) => this.#require(id), file)
  }
}

function readOptional(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}
