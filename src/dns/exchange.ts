/** One query to one server and its reply: by datagram, or over a TCP connection of its own. */

import { type Address, formatHost, parseHost } from '../core/address.ts'
import type { Conn } from '../core/conn.ts'
import type { PacketConn, PacketDialer } from '../core/datagrams/packet.ts'
import type { Dialer } from '../core/dialer.ts'
import { ProxyError } from '../core/errors.ts'
import type { Lifetime } from '../core/lifetime.ts'
import { repliesTo } from './answer-of-reply.ts'
import { unlessGone } from './unless-gone.ts'
import { decodeReply, encodeQuery, type Query, type Reply } from './wire.ts'

/**
 * By datagram, from a port that no other query uses. What does not come from the server, or is no reply to this query,
 * is passed over: waiting goes on until `until` is over.
 * @param anySource an outbound may have led the query elsewhere, and the answer then comes from there
 */
export async function askByDatagram(
  udp: PacketDialer,
  server: Address,
  query: Query,
  until: Lifetime,
  anySource = false,
): Promise<Reply> {
  const conn = await udp.open({ until, first: server })
  try {
    return await unlessGone(replyOn(conn, server, query, anySource), until)
  } finally {
    conn.destroy()
  }
}

function replyOn(conn: PacketConn, server: Address, query: Query, anySource: boolean): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const ended = (why?: unknown): void =>
      reject(new ProxyError('DNS_FAILED', 'the socket of the query was closed', { cause: why }))
    conn
      .drainTo((lent, from) => {
        if (!anySource && !sameEnd(from, server)) return
        const reply = decodeReply(lent)
        if (reply && repliesTo(query, reply)) resolve(reply)
      })
      .then(ended, ended)
    if (!conn.send(encodeQuery(query), server)) {
      reject(new ProxyError('DNS_FAILED', 'the query could not be sent'))
    }
  })
}

/** Over TCP: a length of two bytes before each message (RFC 7766). */
export async function askByStream(tcp: Dialer, server: Address, query: Query, until: Lifetime): Promise<Reply> {
  const conn = await tcp.dial(server, { until })
  try {
    return await unlessGone(replyFrom(conn, query), until)
  } finally {
    conn.destroy()
  }
}

async function replyFrom(conn: Conn, query: Query): Promise<Reply> {
  const message = encodeQuery(query)
  const framed = new Uint8Array(2 + message.length)
  framed.set([message.length >> 8, message.length & 0xff])
  framed.set(message, 2)
  await conn.write(framed)
  const reply = decodeReply(await readFramed(conn))
  if (reply && repliesTo(query, reply) && !reply.truncated) return reply
  throw new ProxyError('DNS_FAILED', 'the reply over TCP is not one to the query')
}

async function readFramed(conn: Conn): Promise<Uint8Array> {
  let held = new Uint8Array(0)
  for (;;) {
    const length = held.length < 2 ? undefined : (held[0]! << 8) | held[1]!
    if (length !== undefined && held.length >= 2 + length) return held.subarray(2, 2 + length)
    const more = await conn.read()
    if (!more) throw new ProxyError('DNS_FAILED', 'the name server closed the connection before its reply was whole')
    const joined = new Uint8Array(held.length + more.length)
    joined.set(held)
    joined.set(more, held.length)
    held = joined
  }
}

/** Same IP address, however it is written and whatever zone it carries, and same port. */
const sameEnd = (one: Address, other: Address): boolean =>
  one.port === other.port && plainHost(one.host) === plainHost(other.host)

const plainHost = (host: string): string => formatHost(parseHost(host.replace(/%.*$/, '')))
