import { lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'

/** Removes a socket file left behind by a dead process. One that still answers is somebody's and is not touched. */
export async function removeStaleSocket(path: string): Promise<void> {
  if (path.startsWith('\0')) return // abstract names leave nothing behind
  const file = await lstat(path).catch(() => undefined)
  if (!file?.isSocket()) return // connecting to an ordinary file is refused just like to a dead socket
  const refused = await new Promise<boolean>((resolve) => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(false)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
  if (refused) await unlink(path).catch(() => {})
}
