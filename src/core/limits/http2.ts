/** The bounds of what goes over HTTP/2; part of `limits`. */
export const http2Limits = {
  /** The largest gRPC message that we send, bytes. */
  grpcMessage: 32 * 1024,
  /** The largest gRPC message that we take, bytes; the Go peers take no more either. Its bytes are passed on as they come. */
  grpcMessageMax: 4 * 1024 * 1024,
  /** Bytes of one HTTP/2 stream that its peer may send before they are read, and so the most that is held of it unread. */
  http2StreamWindow: 2 * 1024 * 1024,
  /** Bytes of all streams of an HTTP/2 connection that may be under way to us. */
  http2SessionWindow: 16 * 1024 * 1024,
  /** Bytes of all streams of an HTTP/2 connection that may wait to be read: where there are many, their windows become smaller. */
  http2UnreadPerSession: 128 * 1024 * 1024,
  /** What Node may hold of one HTTP/2 connection besides what is unread, MB; above it new streams are refused. */
  http2SessionMemoryMb: 64,
  /** Streams that a client may have open at once on one HTTP/2 connection; more close it, and are refused one by one as long as the client has not heard of the bound. */
  http2Streams: 1_024,
  /** Streams that we open at once on one HTTP/2 connection, if the server permits as many; more go by a further connection. */
  http2ClientStreams: 100,
  /** What is kept of a request of ours without an answer, bytes, to be sent again by another connection if the server refuses it unseen. */
  http2Resent: 16 * 1024,
  /** The headers of an HTTP/2 request or response, bytes, as HPACK counts them; more resets the stream. */
  http2HeaderBytes: 64 * 1024,
  /** One header field of an HTTP/2 request, bytes; more closes the connection, as with nginx. */
  http2FieldMax: 8 * 1024,
  /** All header fields of an HTTP/2 request, bytes; more closes the connection, as with nginx. */
  http2FieldsMax: 32 * 1024,
  /** Header fields of an HTTP/2 request or response; more reset the stream. */
  http2HeaderFields: 1_000,
  /** Frames that make no sense, and streams refused, that one HTTP/2 connection may have before it is closed. */
  http2InvalidFrames: 100,
  /** Streams that a client may reset in a row on one HTTP/2 connection; more close it. Fixed by Node's library. */
  http2ResetBurst: 1_000,
  /** Streams a second that it may reset from then on. Fixed by Node's library, too. */
  http2ResetsPerSecond: 33,
  /** Resets that may still come when a server takes no more requests on an HTTP/2 connection; open streams are allowed for besides. */
  http2ServerResetReserve: 100,
  /** The same of a client, who leaves before the server has to. */
  http2ClientResetReserve: 200,
  /** CONTINUATION frames of one header; more close the HTTP/2 connection. Fixed by Node's library. */
  http2Continuations: 8,
  /** How often an HTTP/2 connection that the server has closed is looked at for what is still unread, ms. */
  http2DesertedMs: 1_000,
  /** PINGs of ours without an answer on one HTTP/2 connection. */
  http2Pings: 10,
  /** How long an HTTP/2 connection of ours without a stream is kept, ms. */
  http2ClientIdleMs: 60_000,
  /** How long a client's HTTP/2 connection without a stream is kept that had one for the proxy, ms. */
  http2ServerIdleMs: 300_000,
} as const
