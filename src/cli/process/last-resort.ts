/** The end of exceptions that nobody caught. Only the command may have one: in a host program the process is not ours. */
import { writeSync } from 'node:fs'
import type { Logger } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { currentPeer, type Peer, watchPeers } from '../../net/on-behalf.ts'
import { exitCodes } from './exit.ts'

export interface LastResortDeps {
  readonly log: Logger
  /** Ends the process; the log has the reason already. */
  readonly end: (reason: string) => void
  /** For whom the code that threw was working. */
  readonly peer?: () => Peer | undefined
  /** Milliseconds of a clock that nobody sets. */
  readonly elapsed?: () => number
}

/**
 * What a fault does: it ends the connection that it came over, and everybody else lives. One that came over none, or one
 * more than `limits.faultsPerMinute`, ends the process: nobody knows then what else is broken.
 */
export class LastResort {
  readonly #deps: LastResortDeps
  /** When the latest came, ms. */
  #recent: number[] = []
  #contained = 0

  constructor(deps: LastResortDeps) {
    this.#deps = deps
  }

  /** Faults that ended only a connection. */
  get contained(): number {
    return this.#contained
  }

  readonly fault = (err: unknown): void => {
    const { log, end, peer: find = currentPeer, elapsed = () => performance.now() } = this.#deps
    const peer = find()
    if (!peer) {
      end(`a fault of this program that belongs to no connection ends it: ${textOf(err)}`)
      return
    }
    const now = elapsed()
    this.#recent = [...this.#recent.filter((at) => now - at < 60_000), now]
    if (this.#recent.length > limits.faultsPerMinute) {
      end(`more than ${limits.faultsPerMinute} faults of this program within a minute end it: ${textOf(err)}`)
      return
    }
    this.#contained++
    const { remote, through } = peer
    log.error(
      { err, source: remote, contained: this.#contained },
      `a fault of this program in ${through} ended one connection; please report it`,
    )
    peer.destroy(err instanceof Error ? err : new Error(String(err)))
  }
}

const textOf = (err: unknown): string => (err instanceof Error ? (err.stack ?? err.message) : String(err))

let users = 0
let installed: LastResort | undefined

/** Has the process a last resort until the returned function is called. Several users share the first one's. */
export function useLastResort(log: Logger): () => void {
  users++
  if (!installed) {
    installed = new LastResort({ log, end: (reason) => endProcess(log, reason) })
    watchPeers()
    process.on('uncaughtException', installed.fault)
  }
  const { fault } = installed
  let left = false
  return () => {
    if (left) return
    left = true
    if (--users > 0) return
    process.off('uncaughtException', fault)
    installed = undefined
  }
}

/** At once: nothing that this process still does can be relied on. */
function endProcess(log: Logger, reason: string): void {
  try {
    log.error({}, reason)
    writeSync(process.stderr.fd, `${reason}\n`)
  } finally {
    process.exit(exitCodes.fault)
  }
}
