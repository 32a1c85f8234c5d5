/**
 * How the command is loaded from the few files that scripts/bundle.mjs makes of it. A part is evaluated when something of it
 * is first used, and not when another one imports it: a configuration asks for little of what there is. Beside a part there
 * may be a code cache, made with the build; where it does not fit, because Node or its flags are others, V8 compiles.
 */
import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { underNodesFlags } from './process/collector.ts'

type Exports = Record<string, unknown>
type Evaluate = (this: Exports, exports: Exports, require: Require, filename: string) => void
type Require = (id: string) => unknown

/** Where the cache of a file lies; those of several versions of Node may lie side by side. */
export const cacheOf = (file: string): string => `${file}.${process.version}-${process.arch}.cache`

export class Parts {
  readonly #folder: string
  /** What the parts export that are not evaluated at once. */
  readonly #names: Readonly<Record<string, readonly string[]>>
  readonly #known = new Map<string, Exports>()
  readonly #node: Require
  /** Told of every file that is compiled, for its cache to be made. */
  onCompiled: ((file: string, script: Script) => void) | undefined

  /** @param node loads what lies elsewhere */
  constructor(folder: string, names: Readonly<Record<string, readonly string[]>>, node: Require) {
    this.#folder = folder
    this.#names = names
    this.#node = (id) => underNodesFlags(() => node(id))
  }

  /** What a part exports: it is evaluated when one of these is first read. */
  get(name: string): Exports {
    const known = this.#known.get(name)
    if (known) return known
    const names = this.#names[name]
    const exports: Exports = names ? this.#late(name, names) : {}
    this.#known.set(name, exports)
    if (!names) this.#evaluate(name, exports)
    return exports
  }

  #late(name: string, names: readonly string[]): Exports {
    const unread: Exports = {}
    const exports: Exports = Object.create(unread)
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
    for (const key of names) Object.defineProperty(unread, key, { get: () => read(key) })
    return exports
  }

  #require(id: string): unknown {
    if (id.startsWith('./')) return this.get(id.slice(2))
    return id.startsWith('late:') ? this.get(id) : this.#node(id)
  }

  #evaluate(name: string, exports: Exports): void {
    const file = join(this.#folder, name)
    // One byte a letter: the bundler writes nothing but ASCII. The file is a function expression.
    const source = read(file).toString('latin1')
    const cachedData = readCache(cacheOf(file))
    const script = underNodesFlags(() => new Script(source, { filename: file, ...(cachedData && { cachedData }) }))
    room.resize(0)
    this.onCompiled?.(file, script)
    const evaluate = script.runInThisContext() as Evaluate
    evaluate.call(exports, exports, (id) => this.#require(id), file)
  }
}

const digest = (data: Uint8Array): Buffer => createHash('sha256').update(data).digest()

/** V8 checks for whom a cache was made, but not whether it is whole: a damaged one would end the process. */
export const sealCache = (data: Buffer): Buffer => Buffer.concat([digest(data), data])

/** Undefined where there is none, or none that is whole. */
function readCache(file: string): Buffer | undefined {
  try {
    const sealed = read(file)
    const data = sealed.subarray(32)
    return digest(data).equals(sealed.subarray(0, 32)) ? data : undefined
  } catch {
    return undefined
  }
}

/** For what is read of a file, until it is compiled: a start has no collection that would free buffers. */
const room = new ArrayBuffer(0, { maxByteLength: 16 << 20 })

/** What a file holds, until the next one is read. */
function read(file: string): Buffer {
  const descriptor = openSync(file, 'r')
  try {
    const { size } = fstatSync(descriptor)
    if (room.byteLength < size) room.resize(size)
    const buffer = Buffer.from(room, 0, size)
    let length = 0
    for (let got = -1; length < size && got !== 0; length += got)
      got = readSync(descriptor, buffer, length, size - length, length)
    return buffer.subarray(0, length)
  } finally {
    closeSync(descriptor)
  }
}
