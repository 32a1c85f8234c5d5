/** Bounds of xhttp, which are among `limits`. */
export const xhttpLimits = {
  /** How long the first half of an xhttp session waits for the stream downwards, ms, as with Xray; its id is turned away as long when it is over. */
  xhttpOrphanMs: 30_000,
  /** Sessions of an inbound that wait for it; for one more the oldest goes. So many ids of ended ones are remembered too. */
  xhttpOrphans: 1_024,
  /** Bytes that they hold together; beyond it the oldest goes. */
  xhttpOrphanBytes: 16 * 1024 * 1024,
  /** Bytes of posts that one xhttp session holds until they are read; others wait unread, but for the one whose turn it is. */
  xhttpSessionBytes: 4 * 1024 * 1024,
  /** The same for all sessions of an inbound; and for those alone whose clients are yet unknown, the oldest of which goes beyond it. */
  xhttpHeldBytes: 64 * 1024 * 1024,
  /** Connections of one xhttp session that are noted until its client has shown who it is, to be known by then too. */
  xhttpCarriers: 64,
  /** How long one post may take to come, ms. */
  xhttpPostMs: 300_000,
  /** How long a connection that has brought a post is kept for the next one, ms: Xray's client loses one that it sends later. */
  xhttpIdleMs: 300_000,
  /** Answers to posts that one connection may leave unread, beyond those that it takes, before it is read no further. */
  xhttpUnreadAnswers: 8_192,
  /** Posts of ours that are on their way at once, of one connection: fewer than any server holds. */
  xhttpPostsUnderWay: 16,
  /** How long a connection of ours without a post is kept, ms. */
  xhttpClientIdleMs: 60_000,
  /** How long a server may take to answer a PING of an xhttp client, ms. */
  xhttpPingMs: 15_000,
} as const
