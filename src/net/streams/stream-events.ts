import type { Duplex } from 'node:stream'

/** What becomes of a stream. */
export interface StreamEvents {
  /** Bytes came, to be kept or used up. */
  received(bytes: Uint8Array): void
  /** The peer has ended its half in order. */
  ended(): void
  broken(error: Error): void
  closed(): void
}

/** Under this a stream keeps who hears its events, so that the same few functions listen to all streams. */
const hearer = Symbol('hearer')
type Heard = Duplex & { [hearer]: StreamEvents }

/** All but 'data'. */
export function hearEvents(stream: Duplex, by: StreamEvents): void {
  const heard = stream as Heard
  heard[hearer] = by
  stream.on('end', onEnd).on('error', onError).on('close', onClose)
}

export const hearData = (stream: Duplex): void => void stream.on('data', onData)

/** Leaves only 'close', for a stream that somebody else uses from now on. */
export const unhear = (stream: Duplex): Duplex => stream.off('data', onData).off('end', onEnd).off('error', onError)

function onData(this: Heard, chunk: Uint8Array): void {
  // A plain Uint8Array, because slice() of a Buffer does not copy, and whoever keeps lent bytes relies on it.
  this[hearer].received(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length))
}

function onEnd(this: Heard): void {
  this[hearer].ended()
}

function onError(this: Heard, error: Error): void {
  this[hearer].broken(error)
}

function onClose(this: Heard): void {
  this[hearer].closed()
}
