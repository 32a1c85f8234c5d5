/** Names of unix sockets that are no files, on Linux. */

/** Room for a name in the address structure of Linux, bytes. */
const nameMax = 108

/**
 * Whether names are given to the system as long as they are. Up to Node 20 they are filled up with zero bytes, which makes
 * other names of them (seen on 20.20 with libuv 1.46; 22 and 24 do it right).
 */
const exact = isExact(process.versions.uv)

function isExact(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 1 || minor > 46
}

/** What to know of a socket with this path; undefined where it is what was asked for. */
export function noteOnName(path: string): string | undefined {
  if (exact || !path.startsWith('\0') || Buffer.byteLength(path) === nameMax) return undefined
  return `this version of Node fills abstract names up to ${nameMax} bytes: only programs that do so too have the same; "@@" or "padding" says it to them, and Node 22 does not`
}
