import type { Address } from './address.ts'
import type { Conn } from './conn.ts'
import type { PacketDialer } from './datagrams/packet.ts'
import type { Lifetime } from './lifetime.ts'
import type { Session } from './session.ts'

export interface DialOptions {
  /** Required: a dial must always be cancellable. It is given up when this is over; reject with why. */
  readonly until: Lifetime
  /** The flow this dial is for, if any; for logs, policy and loop detection. */
  readonly session?: Session
}

/** Opens streams to anywhere. An outbound is a dialer with a name; a proxy client is a dialer over a dialer. */
export interface Dialer {
  dial(to: Address, options: DialOptions): Promise<Conn>
  /** Gives up what it keeps for further dials; connections live on. Absent: it keeps nothing. */
  close?(): void
}

export interface Listening {
  /** What was really bound: port 0 is filled in. */
  readonly address: Address
  /** What whoever has asked for it should know. */
  readonly note?: string
  /** Stops accepting; accepted connections live on. */
  close(): Promise<void>
  /** Makes the file of a unix socket again if it is gone; absent where there is no file. Rejects with LISTEN_FAILED. */
  restore?(): Promise<void>
}

export interface ListenOptions {
  /** Rights of the file of a unix socket, such as 0o600; what the umask says unless given. */
  readonly mode?: number
}

export interface Listener {
  /** Binds and calls `accept` once per connection. Rejects with LISTEN_FAILED. `accept` owns the connection and must not throw. */
  listen(at: Address, accept: (conn: Conn) => void, options?: ListenOptions): Promise<Listening>
}

/** What a carrier goes through between the socket that was accepted and the connection that is served. */
export interface Passage {
  /** Owns the carrier: it brings connections, or is destroyed. Never throws. */
  receive(carrier: Conn): void
  /** Carriers on their way: nobody else knows of them yet. */
  readonly pending: number
  /** Cuts those on their way; connections that came out live on. */
  close(): void
}

/** A transport layer: TLS, WebSocket and so on, over whatever carries it. It opens connections and takes them; it does not listen. */
export interface Layer {
  readonly name: string
  client(base: Dialer): Dialer
  /** `accept` owns what it is given and must not throw. */
  server(accept: (conn: Conn) => void): Passage
}

/** A dialer with a name. close() ends what it pools. */
export interface Outbound extends Dialer {
  readonly tag: string
  /** How it carries datagrams; absent where it cannot. */
  readonly packets?: PacketDialer
  /** Policy level whose idle limits hold besides those of the client's level; 0 or absent: none. */
  readonly level?: number
  /** It carries nothing: flows go through the rules again, which see this tag as that of their inbound. */
  readonly reenters?: string
  close(): Promise<void>
}
