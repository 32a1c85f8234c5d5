import { join } from 'node:path'
import type { Peer } from '../interop/rig/harness.ts'
import { projectRoot } from '../interop/rig/root.ts'

/** Node's arguments for a proxy whose memory is measured. */
export const measured = {
  nodeArgs: ['--expose-gc', '--require', join(projectRoot, 'test/e2e/collect-on-signal.cjs')],
}

/**
 * Asks a proxy that was started with `measured` what it holds after a full collection, bytes: its heap, and the buffers
 * outside of it, which lent bytes lie in. Each call of the function it gives is one more collection.
 */
export function heldBy(peer: Peer): () => Promise<number> {
  let collections = 0
  return async () => {
    peer.kill('SIGUSR2')
    const [, bytes] = await peer.logged(new RegExp(`collection ${++collections} leaves (\\d+) bytes`))
    return Number(bytes)
  }
}
