import { constants, realpathSync, type Stats, statSync } from 'node:fs'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { SiteAnswer, SiteRequest, Website } from '../../core/website.ts'
import { page } from './pages.ts'
import { refusalOf } from './plain.ts'
import { escapedPath, siteTarget } from './target.ts'
import { typeOf } from './types.ts'

const chunkBytes = 64 * 1024
const index = 'index.html'

/**
 * The files below `root`, as nginx serves them: index.html for a folder, no listings, no ranges. What a symbolic link leads
 * to outside is not served. Throws when `root` is no folder that can be read.
 */
export function folderSite(root: string): Website {
  if (!statSync(root).isDirectory()) throw new Error(`${root} is not a folder`)
  const real = realpathSync(root)
  const within = (path: string): boolean => path === real || path.startsWith(real === sep ? sep : real + sep)
  return {
    configured: true,
    answer: (request) =>
      refused(request) ?? answer(real, within, request).catch((error: NodeJS.ErrnoException) => pageFor(error)),
  }
}

const refused = ({ method, target }: SiteRequest): Promise<SiteAnswer> | undefined => {
  const refusal = refusalOf(method, target)
  return refusal && Promise.resolve(refusal)
}

function pageFor({ code }: NodeJS.ErrnoException): SiteAnswer {
  if (code === 'EACCES' || code === 'EPERM' || code === 'ELOOP') return page(403)
  return page(code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' ? 404 : 500)
}

async function answer(root: string, within: (path: string) => boolean, request: SiteRequest): Promise<SiteAnswer> {
  const { segments, query } = siteTarget(request.target)!
  // A name with a separator in it, of this system or escaped, is a name that no file has.
  if (segments.some((name) => name.includes(sep) || name.includes('/'))) return page(404)
  const asked = join(root, ...segments)
  const { found, path } = await look(asked, within)
  const folder = segments.at(-1) === ''
  if (!found.isDirectory()) return folder ? page(404) : fileAnswer(path, found, request)
  if (!folder) return page(301, { location: `${request.origin}${escapedPath([...segments, ''])}${query}` })
  const inside = await look(join(asked, index), within).catch(() => undefined)
  if (inside?.found.isFile()) return fileAnswer(inside.path, inside.found, request)
  return request.method === 'GET' || request.method === 'HEAD' ? page(403) : page(405)
}

/** Where a path really leads. Rejects with ELOOP when that is outside. */
async function look(asked: string, within: (path: string) => boolean): Promise<{ path: string; found: Stats }> {
  const path = await realpath(asked)
  if (!within(path)) throw Object.assign(new Error('it leads outside'), { code: 'ELOOP' })
  return { path, found: await stat(path) }
}

async function fileAnswer(path: string, found: Stats, request: SiteRequest): Promise<SiteAnswer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return page(405)
  if (!found.isFile()) return page(404)
  const seconds = Math.floor(found.mtimeMs / 1000)
  const modified = ['Last-Modified', new Date(seconds * 1000).toUTCString()] as const
  const tag = ['ETag', `"${seconds.toString(16)}-${found.size.toString(16)}"`] as const
  if (isKnown(request, modified[1], tag[1])) return { status: 304, headers: [modified, tag] }
  const headers = [
    ['Content-Type', typeOf(path)],
    ['Content-Length', String(found.size)],
    modified,
    tag,
    ['Accept-Ranges', 'bytes'],
  ] as const
  if (request.method === 'HEAD') return { status: 200, headers }
  const file = await openFile(path)
  return {
    status: 200,
    headers,
    body: { chunks: () => chunksOf(file, found.size), close: () => void file.close().catch(() => {}) },
  }
}

/** What nginx looks at: an exact time, and any of the tags. */
function isKnown(request: SiteRequest, modified: string, tag: string): boolean {
  const tags = request.values('If-None-Match')
  if (tags.length > 0) {
    const members = tags.flatMap((value) => value.split(',')).map((member) => member.trim().replace(/^W\//, ''))
    return members.includes('*') || members.includes(tag)
  }
  return request.values('If-Modified-Since')[0] === modified
}

/** Nothing that a link was put in the place of meanwhile. */
const openFile = (path: string): Promise<FileHandle> =>
  open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))

/** Exactly so many bytes, or it throws: the length has been said. */
async function* chunksOf(file: FileHandle, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; ) {
    const chunk = new Uint8Array(Math.min(chunkBytes, length - at))
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at)
    if (bytesRead === 0) throw new Error('the file became shorter')
    at += bytesRead
    yield chunk.subarray(0, bytesRead)
  }
}
