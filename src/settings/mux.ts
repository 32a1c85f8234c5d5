/** How a client carries many connections in one. */
export interface MuxSettings {
  /** Streams at once in one carrier; 0: they have connections of their own. */
  readonly streams: number
  /** The same for sessions of datagrams; `shared`: in the carriers of the streams, which count them as such. */
  readonly datagrams: number | 'shared'
  /** Datagrams to port 443: dropped, like any other, or past the carriers. */
  readonly udp443: 'reject' | 'allow' | 'skip'
}

/** How datagrams travel to a VMess server; `auto`: what is right for it is found out. */
export type PacketEncoding = 'auto' | 'none' | 'packet' | 'xudp'

/** What only outbounds of VMess have. */
export interface SharedConnections {
  /** Absent: every connection has one of its own to the server. */
  readonly mux?: MuxSettings
  /** Absent: `auto`. */
  readonly packetEncoding?: PacketEncoding
}
