import type { Address } from './address.ts'
import type { Conn } from './conn.ts'
import type { Lifetime } from './lifetime.ts'
import type { PacketDialer } from './packet.ts'
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
}

export interface Listening {
  /** What was really bound: port 0 is filled in. */
  readonly address: Address
  /** Stops accepting; accepted connections live on. */
  close(): Promise<void>
}

export interface Listener {
  /** Binds and calls `accept` once per connection. Rejects with LISTEN_FAILED. `accept` owns the connection and must not throw. */
  listen(at: Address, accept: (conn: Conn) => void): Promise<Listening>
}

/** A transport layer: TLS, WebSocket and so on wrap a base, whatever the base is. */
export interface Layer {
  readonly name: string
  dialer(base: Dialer): Dialer
  listener(base: Listener): Listener
}

/** A dialer with a name. close() ends what it pools. */
export interface Outbound extends Dialer {
  readonly tag: string
  /** How it carries datagrams; absent where it cannot. */
  readonly packets?: PacketDialer
  /** Policy level whose idle limits hold besides those of the client's level; 0 or absent: none. */
  readonly level?: number
  close(): Promise<void>
}
