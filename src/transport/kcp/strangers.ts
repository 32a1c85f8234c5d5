import { addressKey, endpointHost } from '../../core/address.ts'
import { limits } from '../../core/limits.ts'
import type { KcpConn } from './conn.ts'

/**
 * Connections that have not shown who they are. Anybody can begin one with one datagram, and under any address, so they
 * are few and small, and the oldest goes for a new one: who is known loses nothing to them.
 */
export class KcpStrangers {
  readonly #byAge = new Set<KcpConn>()
  readonly #byAddress = new Map<string, Set<KcpConn>>()

  get size(): number {
    return this.#byAge.size
  }

  /** Enters it; the ones that have to go. */
  add(conn: KcpConn): KcpConn | undefined {
    const key = keyOf(conn)
    const alike = this.#byAddress.get(key) ?? new Set()
    this.#byAddress.set(key, alike.add(conn))
    this.#byAge.add(conn)
    if (alike.size > limits.kcpStrangersPerAddress) return first(alike)
    return this.#byAge.size > limits.kcpStrangers ? first(this.#byAge) : undefined
  }

  /** It is known, or gone. False: it was not among them. */
  remove(conn: KcpConn): boolean {
    if (!this.#byAge.delete(conn)) return false
    const key = keyOf(conn)
    const alike = this.#byAddress.get(key)
    if (alike?.delete(conn) && alike.size === 0) this.#byAddress.delete(key)
    return true
  }
}

const keyOf = ({ info }: KcpConn): string => addressKey(endpointHost(info.remote))

const first = <T>(set: Set<T>): T | undefined => set.values().next().value
