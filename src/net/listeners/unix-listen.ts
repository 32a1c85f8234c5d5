/** Listening on unix sockets, whose files others may remove, or make anew. */
import { lstatSync, unlinkSync } from 'node:fs'
import { chmod, link, lstat, mkdtemp, rename, rm, rmdir } from 'node:fs/promises'
import type { Server } from 'node:net'
import { dirname, join } from 'node:path'
import { limits } from '../../core/limits.ts'
import { removeStaleSocket } from './stale-socket.ts'

/** A server on a unix socket. */
export interface UnixListening {
  /** Removes the file if it is still this server's, and stops accepting; connections live on. */
  close(): Promise<void>
  /** Makes the file again when there is none; whoever waited for a connection at the former one has lost it. */
  restore(): Promise<void>
}

/** The longest path of a socket that every system takes, bytes. */
const pathMax = process.platform === 'linux' ? 107 : 103

/**
 * Binds a server that `create` makes to `path`. A file that a dead process left is replaced; any other is EADDRINUSE. The
 * file has `mode` (what the umask says, unless it is given) from the moment on at which it can be seen.
 */
export async function listenUnix(create: () => Server, path: string, mode?: number): Promise<UnixListening> {
  let open = await openAt(create(), path, mode)
  return {
    close: () => open.close(),
    async restore() {
      if (!isFile(path) || (await exists(path))) return
      const former = open
      open = await openAt(create(), path, mode)
      void former.close()
    },
  }
}

interface Open {
  close(): Promise<void>
}

/** Abstract names and Windows' pipes leave nothing behind. */
const isFile = (path: string): boolean => !path.startsWith('\0') && process.platform !== 'win32'

async function openAt(server: Server, path: string, mode: number | undefined): Promise<Open> {
  const end = async () => void server.close()
  if (!isFile(path)) {
    await listen(server, path)
    return { close: end }
  }
  await removeStaleSocket(path)
  const folder = await mkdtemp(`${dirname(path)}/.`).catch(asListenError)
  const born = join(folder, 's')
  if (Buffer.byteLength(born) > pathMax) {
    await rmdir(folder)
    return openInPlace(server, path, mode, end)
  }
  // Born in a folder that nobody else can enter, and shown when its mode is right. Node removes, when the server closes,
  // whatever then has the name that it was born with: never what another instance has made at `path` meanwhile.
  try {
    await listen(server, born)
    if (mode !== undefined) await chmod(born, mode)
    const own = await lstat(born)
    await show(born, path)
    return {
      close() {
        removeOwn(path, own)
        return end()
      },
    }
  } catch (error) {
    server.close()
    throw error
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** For a path to which nothing can be added. The umask is the process's, and binding happens before listen() returns. */
async function openInPlace(server: Server, path: string, mode: number | undefined, end: Open['close']): Promise<Open> {
  const former = mode === undefined ? undefined : process.umask(0o777 & ~mode)
  const listening = listen(server, path)
  if (former !== undefined) process.umask(former)
  await listening
  if (mode !== undefined) await chmod(path, mode)
  return { close: end }
}

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path, backlog: limits.listenBacklog }, () => {
      server.off('error', reject)
      resolve()
    })
  })

/** Gives the socket its name, unless there is something of that name. */
async function show(born: string, path: string): Promise<void> {
  try {
    await link(born, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || (await exists(path))) throw errno('EADDRINUSE', path)
    // A file system without hard links.
    await rename(born, path)
  }
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  )

/** At once, so that a process that ends now leaves nothing behind. */
function removeOwn(path: string, own: { readonly dev: number; readonly ino: number }): void {
  try {
    const { dev, ino } = lstatSync(path)
    if (dev === own.dev && ino === own.ino) unlinkSync(path)
  } catch {
    // It is gone already.
  }
}

/** A folder that does not exist is told as the system tells it of sockets. */
function asListenError(error: NodeJS.ErrnoException): never {
  throw error.code === 'ENOENT' || error.code === 'ENOTDIR' ? errno('EACCES', error.message) : error
}

const errno = (code: string, what: string): Error => Object.assign(new Error(`listen ${code}: ${what}`), { code })
