import { AsyncLocalStorage } from 'node:async_hooks'

/** A connection whose bytes are being worked on. */
export interface Peer {
  /** Its address as `ip:port`, or `unix:path`; `''` if unknown. */
  readonly remote: string
  /** What its bytes go through, in words: for the log. */
  readonly through: string
  /** Ends the connection. Never throws. */
  destroy(reason: Error): void
}

const peers = new AsyncLocalStorage<Peer>()
let watched = false

/**
 * Runs `run`, and remembers for everything that follows from it, however long, that it happens on behalf of `peer`. Costs
 * nothing until `watchPeers()` was called, and then, from the first call on, every promise of the process a tenth of a
 * microsecond: for bytes that go through a library of others, not for those that only our own code sees, whose faults come
 * out of a promise that somebody awaits.
 */
export function onBehalfOf<T>(peer: Peer, run: () => T): T {
  return watched ? peers.run(peer, run) : run()
}

/**
 * From now on `currentPeer()` knows. The process has one handler for uncaught exceptions, and so this has one place; only
 * whoever owns the process may call it.
 */
export function watchPeers(): void {
  watched = true
}

/** The connection that the code running now works for; undefined when there is none, or nobody watches. */
export const currentPeer = (): Peer | undefined => peers.getStore()
