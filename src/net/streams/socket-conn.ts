import { Socket } from 'node:net'
import type { ConnInfo, Sink } from '../../core/conn.ts'
import { limits } from '../../core/limits.ts'
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

/** The `onread` option for a socket that SocketConn will own, which is not made yet. */
export class LendingRead {
  readonly buffer: Uint8Array
  conn: SocketConn | undefined
  readonly callback = (length: number): boolean => this.conn?.batch(length) ?? false

  /** The socket will read at most `size` bytes at a time. */
  constructor(size: number = limits.sharedReadBuffer) {
    this.buffer = sharedBuffer(size)
  }
}

/** No handshake has more bytes. What comes after it is content, and is read in large batches whoever reads it. */
const handshakeMost = 64 * 1024

/** A Conn over a socket that was made with a LendingRead, or that acceptLending() has changed. */
export class SocketConn extends StreamConn {
  #buffer: Uint8Array
  /** What a read may bring once it is known what the bytes are for. */
  #most: number
  /** Bytes that still count as a handshake. */
  #early = handshakeMost

  constructor(socket: Socket, info: ConnInfo, buffer: Uint8Array, most = buffer.length) {
    super(socket, info)
    this.#buffer = buffer
    this.#most = most
  }

  protected override listen(): void {
    // Bytes come into the shared buffer, never as 'data'.
  }

  /** Takes effect with the next read. */
  readAtMost(bytes: number): void {
    this.#most = Math.min(this.#most, bytes)
    if (this.#buffer.length > bytes) this.#readBy(bytes)
  }

  override drainTo(sink: Sink): Promise<void> {
    if (this.#buffer.length < this.#most) this.#readBy(this.#most)
    return super.drainTo(sink)
  }

  #readBy(bytes: number): void {
    const buffer = sharedBuffer(bytes)
    if (readInto(this.stream as Socket, buffer)) this.#buffer = buffer
  }

  /** So many bytes are in the buffer. False: read no more for now. */
  batch(length: number): boolean {
    const more = this.deliver(this.#buffer.subarray(0, length), false)
    if (this.#early > 0) {
      this.#early -= length
      if (this.#early <= 0 && this.#buffer.length < this.#most) this.#readBy(this.#most)
    }
    return more
  }
}

/** The parts of a TCP or pipe handle that are not public in Node, hence looked for before use. */
interface Handle {
  useUserBuffer?(buffer: Uint8Array): void
  readonly fd?: number
}

const handleOf = (socket: Socket): Handle | null => (socket as unknown as { _handle: Handle | null })._handle

/** Where a socket keeps what its `onread` option said; an accepted socket has had no chance to be given one. */
const slots = (() => {
  const all = Object.getOwnPropertySymbols(new Socket())
  const slot = (name: string) => all.find(({ description }) => description === name)
  const [buffer, callback] = [slot('kBuffer'), slot('kBufferCb')]
  return buffer && callback ? { buffer, callback } : undefined
})()

/**
 * Has an accepted socket read into the shared buffer, as if it had been made with `onread`, and gives its Conn. Undefined
 * where the runtime does not offer it; the socket is then untouched and works by ordinary streams.
 */
export function acceptLending(socket: Socket, info: ConnInfo, size?: number): SocketConn | undefined {
  const most = size ?? limits.sharedReadBuffer
  const buffer = sharedBuffer(Math.min(most, limits.firstRead))
  if (!slots || !readInto(socket, buffer)) return undefined
  const conn = new SocketConn(socket, info, buffer, most)
  const target = socket as unknown as Record<symbol, unknown>
  target[slots.callback] = (length: number) => conn.batch(length)
  return conn
}

/** False where the runtime does not offer it. */
function readInto(socket: Socket, buffer: Uint8Array): boolean {
  const handle = handleOf(socket)
  if (!slots || typeof handle?.useUserBuffer !== 'function') return false
  const target = socket as unknown as Record<symbol, unknown>
  target[slots.buffer] = buffer
  handle.useUserBuffer(buffer)
  return true
}

/** File descriptor of a socket, or -1: how near the process is to its limit. */
export const descriptorOf = (socket: Socket): number => handleOf(socket)?.fd ?? -1
