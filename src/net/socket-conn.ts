import { Socket } from 'node:net'
import type { ConnInfo } from '../core/conn.ts'
import { limits } from '../core/limits.ts'
import { StreamConn } from './stream-conn.ts'

/**
 * Raw sockets read into one buffer that all of them share which read as much at a time: the kernel's bytes are used up (sealed, opened or copied) before
 * the read callback returns, so no other socket of the thread can have touched it. On Node this halves the cost of
 * moving bytes against a fresh 64 KB buffer per read. See docs/decisions/0002.
 */
const shared = new Map<number, Uint8Array>()

function sharedBuffer(size: number): Uint8Array {
  let buffer = shared.get(size)
  if (!buffer) {
    buffer = new Uint8Array(size)
    shared.set(size, buffer)
  }
  return buffer
}

/** Set by SocketConn once it exists; the socket's read callback needs it, and is needed to make the socket. */
interface ReadHook {
  conn: SocketConn | undefined
}

export interface LendingOptions {
  readonly buffer: Uint8Array
  callback(length: number): boolean
  readonly hook: ReadHook
}

/** The `onread` option for a socket that SocketConn will own, and that is to read at most `size` bytes at a time. */
export function lendingRead(size: number = limits.sharedReadBuffer): LendingOptions {
  const hook: ReadHook = { conn: undefined }
  return { buffer: sharedBuffer(size), callback: (length) => hook.conn?.received(length) ?? false, hook }
}

/** A Conn over a socket that was made with `lendingRead()`. */
export class SocketConn extends StreamConn {
  readonly #buffer: Uint8Array

  constructor(socket: Socket, info: ConnInfo, options: LendingOptions) {
    super(socket, info)
    this.#buffer = options.buffer
    options.hook.conn = this
  }

  protected override listen(): void {
    // Bytes come through the read hook, never as 'data'.
  }

  received(length: number): boolean {
    return this.deliver(this.#buffer.subarray(0, length), false)
  }
}

/** The parts of a TCP or pipe handle that adoption needs; not public in Node, hence looked for before use. */
interface Adoptable {
  _handle: { useUserBuffer?: unknown; fd?: number } | null
}

/**
 * Takes an accepted socket's handle into a new socket that reads into the shared buffer. Undefined where the runtime does
 * not offer it; the accepted socket is then untouched and works by ordinary streams.
 */
export function adoptForLending(accepted: Socket, size?: number): { socket: Socket; read: LendingOptions } | undefined {
  const source = accepted as unknown as Adoptable
  const handle = source._handle
  if (!handle || typeof handle.useUserBuffer !== 'function') return undefined
  const read = lendingRead(size)
  source._handle = null
  const options = { handle, allowHalfOpen: true, onread: read }
  const socket = new Socket(options)
  // The empty shell must be destroyed, or server.close() never calls back.
  accepted.destroy()
  return { socket, read }
}

/** File descriptor of a socket, or -1: how near the process is to its limit. */
export const descriptorOf = (socket: Socket): number => (socket as unknown as Adoptable)._handle?.fd ?? -1
