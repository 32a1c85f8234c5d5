import type { Http2Session, ServerSessionOptions } from 'node:http2'
import { limits } from '../../core/limits.ts'

/** What holds for every session of ours, as Node wants it. Its own defaults are for small pages. */
export const sessionOptions = (streamWindow: number = limits.http2StreamWindow): ServerSessionOptions => ({
  // Of unread bytes only their window is held back; the bound on them is the window of a stream, and their number.
  maxSessionMemory: limits.http2SessionMemoryMb,
  maxHeaderListPairs: limits.http2HeaderFields,
  maxOutstandingPings: limits.http2Pings,
  maxSettings: 32,
  maxSessionInvalidFrames: limits.http2InvalidFrames,
  maxSessionRejectedStreams: limits.http2InvalidFrames,
  settings: {
    enablePush: false,
    initialWindowSize: streamWindow,
    maxConcurrentStreams: limits.http2Streams,
    maxHeaderListSize: limits.http2HeaderBytes,
  },
})

/** Without it all streams of a session share 64 KiB under way. Throws when the session is gone. */
export const widenWindow = (session: Http2Session): void => session.setLocalWindowSize(limits.http2SessionWindow)

/** Runs what throws over a stream or session that its peer has ended a moment ago: that shows elsewhere. */
export function quietly(run: () => unknown): void {
  try {
    run()
  } catch {
    // Gone; whoever reads or writes is told.
  }
}
