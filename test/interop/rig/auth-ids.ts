/**
 * Which AuthIDs V2Ray's server takes for one that it has seen.
 *
 * V2Ray 4 and 5 remember AuthIDs in a cuckoo filter of 32,768 buckets and fingerprints of one byte (`common/antireplay`,
 * github.com/seiflotfy/cuckoofilter). Of an AuthID it keeps the fingerprint, in one of two buckets that follow from each
 * other, so two AuthIDs with the same fingerprint and the same pair of buckets are one to it: the second is "replayed",
 * drained and never answered. Of n honest connections within 120 s that hits about n² / 8,400,000: of 500 one in every 33
 * runs, and V2Ray's own clients alike. Nothing that a client sent can be blamed or mended, but a test can choose AuthIDs
 * that are different to the filter, and then nothing may fail.
 */

import { systemClock } from '../../../src/app/instance/env.ts'
import type { Sink } from '../../../src/core/conn.ts'
import { type Env, silentLogger } from '../../../src/core/env.ts'
import { WrappedConn } from '../../../src/core/streams/wrapped.ts'
import { authIdLength, authIdSealer, sealAuthId } from '../../../src/protocol/vmess/header/auth-id.ts'
import { commandKey, parseId } from '../../../src/protocol/vmess/users/identity.ts'
import { fakeRandom } from '../../../src/testing/fakes.ts'

const buckets = 32_768n
const seed = 1337n
const [k0, k1, k2, k3] = [0xd6d018f5n, 0xa2aa033bn, 0x62992fc1n, 0x30bc5b29n] as const

const word = (value: bigint): bigint => BigInt.asUintN(64, value)
const turn = (value: bigint, by: bigint): bigint => word((word(value) >> by) | (word(value) << (64n - by)))

/** MetroHash64 of 16 bytes, or of the one byte of a fingerprint. */
function metroHash(bytes: Uint8Array): bigint {
  let hash = word((seed + k2) * k0)
  if (bytes.length === 1) {
    hash = word(hash + BigInt(bytes[0]!) * k3)
    hash ^= word(turn(hash, 37n) * k1)
  } else {
    const view = new DataView(bytes.buffer, bytes.byteOffset, 16)
    let a = word(turn(hash + view.getBigUint64(0, true) * k2, 29n) * k3)
    let b = word(turn(hash + view.getBigUint64(8, true) * k2, 29n) * k3)
    a ^= word(turn(a * k0, 21n) + b)
    b ^= word(turn(b * k3, 21n) + a)
    hash = word(hash + b)
  }
  hash = word((hash ^ turn(hash, 28n)) * k0)
  return hash ^ turn(hash, 29n)
}

/** All that V2Ray's filter knows of an AuthID: two with the same number are one to it. */
export function asFiltered(authId: Uint8Array): number {
  const hash = metroHash(authId)
  const fingerprint = Number(hash % 255n) + 1
  const first = Number((hash >> 32n) % buckets)
  const second = first ^ Number(metroHash(Uint8Array.of(fingerprint)) % buckets)
  return Math.min(first, second) * 256 + fingerprint
}

/**
 * What one client of one V2Ray server lives in, for at most 100 s: its clock stands still and its AuthIDs are all different to
 * V2Ray's filter, so that it refuses none of them.
 */
export function acceptedByV2ray(id: string, randomSeed: number): Env {
  const random = fakeRandom(randomSeed)
  const now = systemClock.now()
  const seal = authIdSealer(commandKey(parseId(id)))
  const filtered = (bytes: Uint8Array) => asFiltered(sealAuthId(seal, Math.floor(now / 1000), bytes))
  const seen = new Set<number>()
  return {
    clock: { ...systemClock, now: () => now },
    random: {
      below: random.below,
      fill: (bytes) => {
        random.fill(bytes)
        // Four bytes are what makes an AuthID different from others of the same second.
        if (bytes.length !== 4) return bytes
        while (seen.has(filtered(bytes))) random.fill(bytes)
        seen.add(filtered(bytes))
        return bytes
      },
    },
    log: silentLogger,
  }
}

/** Notes the AuthID with which a connection to a server begins. */
export class WithAuthId extends WrappedConn {
  authId: Uint8Array | undefined

  read(): Promise<Uint8Array | null> {
    return this.base.read()
  }

  drainTo(sink: Sink): Promise<void> {
    return this.base.drainTo(sink)
  }

  override write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    this.authId ??= bytes.slice(0, authIdLength)
    return super.write(bytes, release)
  }
}
