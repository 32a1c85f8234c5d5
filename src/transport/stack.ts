/**
 * The fourth of the five files of the data path: how "the server" is reached. A transport is a function from dialer to
 * dialer (and listener to listener), so TLS over TCP and WebSocket over TLS over TCP are the same mechanism: a fold.
 */

import type { Dialer, Layer, Listener } from '../core/dialer.ts'

/** The dialer that opens `layers` over `base`, innermost first: `[tls, ws]` is WebSocket inside TLS. */
export const dialerStack = (base: Dialer, layers: readonly Layer[]): Dialer =>
  layers.reduce((dialer, layer) => layer.dialer(dialer), base)

/** The listener that accepts `layers` over `base`, in the same order. */
export const listenerStack = (base: Listener, layers: readonly Layer[]): Listener =>
  layers.reduce((listener, layer) => layer.listener(listener), base)
