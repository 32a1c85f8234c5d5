/** Every bound with its default. docs/limits.md lists the same names. */
export const limits = {
  /** The read buffer that all raw sockets of a thread share, bytes: sixteen full chunks, so that no batch leaves a small one over. */
  sharedReadBuffer: 261_888,
  /** A connection's unsent bytes above which write() asks to wait. */
  writeHighWater: 512 * 1024,
  /** One dial, from name look-up to the end of the TLS handshake, ms. */
  dialTimeoutMs: 16_000,
  /** How long a VMess header waits for a first payload to travel with, ms. */
  firstPayloadWaitMs: 100,
  /** How long a VMess server may keep silent before the log wonders, ms. */
  silenceMs: 5_000,
  /** Seconds by which a client's clock may be wrong. */
  clockSkewS: 120,
  /** Sealed bytes of one chunk that we send, before padding; more breaks sing-box. */
  chunkSealedMax: 16_384,
  /** AuthIDs remembered against replay; when full the oldest goes and the window narrows. */
  replayEntries: 1_000_000,
  /** Seconds for which (id, key, IV) is remembered. */
  sessionHistoryS: 180,
  /** A SOCKS or HTTP request head, bytes. */
  requestHeadMax: 64 * 1024,
  /** How long the last bytes of a connection may take to leave, however slowly the peer reads, ms. */
  flushMs: 300_000,
  /** How long a connection that was turned away is still read, so that the answer is not lost to a TCP reset, ms. */
  lingerMs: 1_000,
  /** Graceful shutdown, ms. */
  shutdownMs: 10_000,
  /** Descriptors kept free: accepting pauses when fewer are left. */
  fdReserve: 64,
  /** Pause before a listener that could not be opened again is tried once more, ms. */
  reopenMs: 1_000,
} as const
