/**
 * Key derivation of the AEAD header: HMAC-SHA256 nested in itself, one level per path element.
 *
 *     F0(m) = HMAC-SHA256("VMess AEAD KDF", m)
 *     Fi(m) = HMAC(path[i-1], m) with F(i-1) where HMAC has its hash
 *     KDF(key, path...) = Fn(key)              the key is the message, the path elements are the HMAC keys
 *
 * A running Fi is one SHA-256 state: opening a level absorbs its inner pad there, and the state behind its outer pad can be
 * kept ready. So levels are values, and those of the constant salts are opened only once.
 */
import {
  type DigestWords,
  digestBytes,
  type Midstate,
  type Register,
  register,
  sha256AbsorbKey,
  sha256Finish,
  sha256FinishDigest,
  sha256Start,
} from '../../../crypto/sha256-block.ts'

interface Level {
  readonly below: Level | undefined
  /** State behind the inner pads of this level and of all below. */
  readonly inner: Midstate
  /** State of the level below behind the outer pad of this one. */
  readonly outer: Midstate
}

/** A level that is written over by the next derivation. */
interface Passing extends Level {
  below: Level | undefined
  readonly inner: Register
  readonly outer: Register
}

export type PathElement = string | Uint8Array

const text = new TextEncoder()
const digest = new Int32Array(8)

const passing = (): Passing => ({ below: undefined, inner: register(), outer: register() })

function openLevel(below: Level | undefined, key: Uint8Array, into = passing()): Level {
  const base = below?.inner ?? sha256Start
  const short = key.length > 64 ? digestBytes(finish(below, base, key, digest)) : key
  sha256AbsorbKey(base, short, 0x36, into.inner)
  sha256AbsorbKey(base, short, 0x5c, into.outer)
  into.below = below
  return into
}

/** Ends a hash of this level whose state so far is `state`. */
function finish(level: Level | undefined, state: Midstate, message: Uint8Array, into: DigestWords): DigestWords {
  if (level === undefined) sha256Finish(state, message, into)
  else finishDigest(level.below, level.outer, finish(level.below, state, message, into))
  return into
}

/** The same where the message is the digest in `words`, which the result replaces. */
function finishDigest(level: Level | undefined, state: Midstate, words: DigestWords): void {
  if (level === undefined) {
    sha256FinishDigest(state, words, words)
    return
  }
  finishDigest(level.below, state, words)
  finishDigest(level.below, level.outer, words)
}

const root = openLevel(undefined, text.encode('VMess AEAD KDF'))

/** Levels of the salts, each one of the few texts of the protocol. */
const salts = new Map<string, Level>()

function saltLevel(salt: string): Level {
  let level = salts.get(salt)
  if (level === undefined) {
    level = openLevel(root, text.encode(salt))
    salts.set(salt, level)
  }
  return level
}

/** Those of a path behind the salt, which differ from derivation to derivation. */
const behindSalt: readonly Passing[] = [passing(), passing()]

/** 32 bytes derived from `key` along `path`. Text elements must be constants: they stay in memory. */
export function kdf(key: Uint8Array, ...path: readonly PathElement[]): Uint8Array {
  let level = root
  path.forEach((element, i) => {
    if (i === 0 && typeof element === 'string') level = saltLevel(element)
    else level = openLevel(level, typeof element === 'string' ? text.encode(element) : element)
  })
  return digestBytes(finish(level, level.inner, key, digest))
}

/**
 * Writes as many bytes of kdf() as there is room for into `into`, at most 32: an AES-128 key is 16, a nonce 12.
 * @param salt a constant; the path goes on with `first` and `second`, where they are given
 */
export function kdfInto(
  into: Uint8Array,
  key: Uint8Array,
  salt: string,
  first?: Uint8Array,
  second?: Uint8Array,
): void {
  let level = saltLevel(salt)
  if (first !== undefined) level = openLevel(level, first, behindSalt[0])
  if (second !== undefined) level = openLevel(level, second, behindSalt[1])
  digestBytes(finish(level, level.inner, key, digest), into)
}
