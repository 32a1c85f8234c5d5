/** Listening sockets below what Node documents: bound and held, without anybody accepting in this thread. */
import net, { isIP } from 'node:net'
import { getSystemErrorName } from 'node:util'
import { type Address, formatAddress } from '../../../core/address.ts'
import { ProxyError } from '../../../core/errors.ts'
import { listenError } from '../../../net/errors.ts'

/** A socket of libuv. */
export interface RawSocket {
  readonly fd: number
  close(): void
}

interface Bindable extends RawSocket {
  /** 0, or a negative error number: also of a bind() that failed before. */
  getsockname(out: { address?: string; port?: number }): number
}

type Create = (address: string, port: number, type: number, fd: number, flags: number) => Bindable | number

/** What node:cluster itself binds with. */
const create = (net as unknown as { readonly _createServerHandle?: Create })._createServerHandle

const ipv6OnlyFlag = 1

/** Binds, and does not listen yet. @throws ProxyError LISTEN_FAILED */
export function bindRaw(at: Address, ipv6Only: boolean): { readonly socket: RawSocket; readonly address: Address } {
  if (!create) {
    throw new ProxyError('LISTEN_FAILED', 'this runtime cannot share a listening socket among threads', {
      hint: 'leave "workers" out, or run this program on Node',
    })
  }
  const socket = create(at.host, at.port, isIP(at.host), -1, ipv6Only ? ipv6OnlyFlag : 0)
  if (typeof socket === 'number') {
    const code = getSystemErrorName(socket)
    if (at.host === '::' && !ipv6Only && (code === 'EAFNOSUPPORT' || code === 'EADDRNOTAVAIL')) {
      return bindRaw({ ...at, host: '0.0.0.0' }, false)
    }
    throw failure(code, at)
  }
  const bound: { address?: string; port?: number } = {}
  const error = socket.getsockname(bound)
  if (error !== 0) {
    socket.close()
    throw failure(getSystemErrorName(error), at)
  }
  return { socket, address: { host: bound.address ?? at.host, port: bound.port ?? at.port } }
}

const failure = (code: string, at: Address): ProxyError =>
  listenError(Object.assign(new Error(`listen ${code}: ${formatAddress(at)}`), { code }), formatAddress(at))
