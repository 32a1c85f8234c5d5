/**
 * The native twin: what costs most, done in one call over the OpenSSL that is inside Node (`native/`, decision 0009). It is never needed:
 * where it is not built or does not load, the TypeScript beside it does the same.
 *
 * Every function takes memory of JavaScript and keeps none. What is too small, detached or of another type is refused by a TypeError
 * or RangeError before anything is written outside of it.
 */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

export interface Twin {
  /** By what AES-128-GCM is done: instructions on two blocks at a time, or OpenSSL. */
  readonly gcm: 'vaes' | 'openssl'
  /** Absent where the processor lacks the instructions. */
  readonly search?: TwinSearch
  /** Seals all of `plain` as chunks of at most `longest` bytes, or one empty chunk where there is nothing, into `into` at `at`, and returns the offset behind them.
   *  The padding is filled from OpenSSL's generator if `pad`, else left to the caller. `state`: protocol/vmess/twin/body-state.ts. */
  sealBody(state: Int32Array, plain: Uint8Array, longest: number, into: Uint8Array, at: number, pad: boolean): number
  /** Opens `head`, if given, which is one whole unit, and what is complete of batch[from..) into `into` at `at`; returns the offset
   *  behind it, or a negative number that says why a unit cannot be opened. Stops when `lengths`, if given, is full: it gets the length of every chunk's payload. */
  openBody(
    state: Int32Array,
    head: Uint8Array | undefined,
    batch: Uint8Array,
    from: number,
    into: Uint8Array,
    at: number,
    lengths: Int32Array | undefined,
  ): number

  // Headers: protocol/vmess/header/header-seals.ts.
  authIdKey(commandKey: Uint8Array, into: Uint8Array): void
  lengthKey(requestKey: Uint8Array, into: Uint8Array): void
  sealRequest(key: Uint8Array, authId: Uint8Array, nonce: Uint8Array, plain: Uint8Array, into: Uint8Array): void
  openRequestLength(key: Uint8Array, wire: Uint8Array): number
  openRequest(key: Uint8Array, wire: Uint8Array, into: Uint8Array): boolean
  sealResponse(key: Uint8Array, iv: Uint8Array, plain: Uint8Array, into: Uint8Array): void
  openResponseLength(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array): number
  openResponse(key: Uint8Array, iv: Uint8Array, sealed: Uint8Array, into: Uint8Array): boolean
}

/** Searches for keys (crypto/key-search/model.ts) in memory of JavaScript: groups of sixteen slots, all zeros at first. Keys and blocks are 16 bytes. */
export interface TwinSearch {
  /** Which instructions it uses. */
  readonly instructions: 'aes-ni' | 'vaes'
  /** Bytes of a group. */
  readonly groupBytes: number
  setKey(table: Uint8Array, slot: number, key: Uint8Array): void
  clearKey(table: Uint8Array, slot: number): void
  /** The first slot of from..to-1 that matches, or -1. There may be fewer slots. */
  findKey(table: Uint8Array, block: Uint8Array, from: number, to: number): number
  openWithKey(table: Uint8Array, slot: number, block: Uint8Array, into: Uint8Array): void
}

/** What a loaded file must say of itself: one that was built from other sources is not used. */
const interfaceVersion = 4

interface TwinModule extends Twin {
  readonly interfaceVersion: number
}

type Loaded = { readonly twin: TwinModule } | { readonly twin: undefined; readonly reason: string }

let loaded: Loaded | undefined

const load = (): Loaded => loadTwin(process.env.VMESS_NATIVE === 'off' ? undefined : openBuild)

/** The twin of this thread, unless there is none or the environment variable VMESS_NATIVE says `off`; with `narrow` it uses no wider registers than OpenSSL. */
export function twin(): Twin | undefined {
  loaded ??= load()
  return loaded.twin
}

/** Whether the twin is used, for people: `linux-x64 (aes-128-gcm: vaes, user search: vaes)`, or `none (…)` with the reason. */
export function describeTwin(): string {
  loaded ??= load()
  if (!loaded.twin) return `none (${loaded.reason})`
  const { gcm, search } = loaded.twin
  return `${process.platform}-${process.arch} (aes-128-gcm: ${gcm}, user search: ${search?.instructions ?? 'TypeScript'})`
}

/** @param open undefined where it is switched off. Whatever it throws is the reason why there is no twin. */
export function loadTwin(open: (() => unknown) | undefined): Loaded {
  const none = (reason: string): Loaded => ({ twin: undefined, reason })
  if (!open) return none('VMESS_NATIVE=off')
  try {
    const twin = open() as TwinModule
    return twin.interfaceVersion === interfaceVersion ? { twin } : none('built from other sources')
  } catch (error) {
    return none(reasonOf(error))
  }
}

/** From src/crypto, dist/crypto and dist/cli alike. A build of this machine goes before a prebuilt file. */
function openBuild(): unknown {
  const open = createRequire(import.meta.url)('node-gyp-build') as (root: string) => unknown
  return open(fileURLToPath(new URL('../..', import.meta.url)))
}

/** The first line is all that people can use, without the path of the file. */
function reasonOf(error: unknown): string {
  const [line = ''] = String(error instanceof Error ? error.message : error).split('\n')
  if (line.startsWith('No native build was found')) return `not built for ${process.platform}-${process.arch}`
  return line.replace(/^\S+: (?=\S)/, '')
}
