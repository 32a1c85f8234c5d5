import type { Socket } from 'node:net'
import { formatAddress } from '../../core/address.ts'
import type { ConnInfo } from '../../core/conn.ts'

const tcp = ['tcp'] as const
const unix = ['unix'] as const

/**
 * What a socket says about itself. Each name is a call to the kernel and some garbage: the peer's is asked for at once,
 * because a socket that was reset does not know it any more, our own when it is first wanted.
 */
export class SocketInfo implements ConnInfo {
  readonly halfClose = 'native'
  readonly layers: readonly string[]
  readonly #socket: Socket
  readonly remote: string
  #local: string | undefined

  /** @param path of a unix socket @param dialled where it has connected to, if that is sure to be what the kernel would say */
  constructor(socket: Socket, path?: string, dialled?: string) {
    this.#socket = socket
    this.layers = path === undefined ? tcp : unix
    if (path === undefined) this.remote = dialled ?? endpoint(socket.remoteAddress, socket.remotePort)
    else {
      this.remote = formatAddress({ host: '', port: 0, path })
      this.#local = this.remote
    }
  }

  get local(): string {
    this.#local ??= endpoint(this.#socket.localAddress, this.#socket.localPort)
    return this.#local
  }
}

function endpoint(host: string | undefined, port: number | undefined): string {
  if (host === undefined || port === undefined) return ''
  // A dual-stack socket reports IPv4 peers as mapped addresses; people and filters know them as IPv4.
  return formatAddress({ host: host.startsWith('::ffff:') ? host.slice(7) : host, port })
}
