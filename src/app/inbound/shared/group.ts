import type { Address } from '../../../core/address.ts'
import type { Conn } from '../../../core/conn.ts'
import type { Layer, Listener, Listening, ListenOptions, Passage } from '../../../core/dialer.ts'
import type { Clock } from '../../../core/env.ts'
import { type Claim, type Claimant, choosePlain, chooseTls, type TlsSet, tlsSets } from './choice.ts'
import type { Seen } from './first-bytes.ts'
import { Looking } from './looking.ts'

/** An inbound's part in an address. */
export interface Guest {
  /** Undefined: it has the address for itself. It may change at any time. */
  readonly claim: Claim | undefined
  /** Takes a carrier as it was accepted. */
  receive(carrier: Conn): void
  /** Takes what came out of TLS that others have part in. */
  receiveSecured(conn: Conn): void
}

/** What a guest has of an address. */
export interface Share extends Listening {
  /** Carriers of which nobody knows yet whom they are for: of the first guest. */
  readonly pending: number
  /** Others have it too. */
  readonly shared: boolean
}

/** One listening socket and the inbounds that share it: most often one, which gets everything as it comes. */
export class Group {
  readonly #looking: Looking
  readonly #onEmpty: () => void
  #members: readonly { readonly guest: Guest }[] = []
  /** The same, each once: a port that comes and goes is a member twice for a while. */
  #guests: readonly Guest[] = []
  #bound: Promise<Listening> | undefined
  #secured = new Map<Layer, { readonly passage: Passage; members: readonly (Guest & Claimant)[] }>()

  constructor(clock: Clock, onEmpty: () => void) {
    this.#looking = new Looking(clock)
    this.#onEmpty = onEmpty
  }

  get guests(): readonly Guest[] {
    return this.#guests
  }

  /** The first guest's `base` binds the socket. Rejects with LISTEN_FAILED. */
  async join(guest: Guest, base: Listener, at: Address, options: ListenOptions): Promise<Share> {
    const member = { guest }
    this.#change([...this.#members, member])
    try {
      this.#bound ??= base.listen(at, (carrier) => this.#accept(carrier), options)
      const { address, restore, note } = await this.#bound
      const [pending, shared] = [() => this.#pendingOf(member), () => this.#members.length > 1]
      return {
        address,
        ...(restore && { restore }),
        ...(note !== undefined && { note }),
        close: async () => this.#leave(member),
        get pending() {
          return pending()
        },
        get shared() {
          return shared()
        },
      }
    } catch (error) {
      this.#leave(member)
      throw error
    }
  }

  #pendingOf(member: { readonly guest: Guest }): number {
    if (this.#members[0] !== member) return 0
    return [...this.#secured.values()].reduce((sum, { passage }) => sum + passage.pending, this.#looking.size)
  }

  #leave(member: { readonly guest: Guest }): void {
    if (!this.#members.includes(member)) return
    this.#change(this.#members.filter((other) => other !== member))
    if (this.#members.length > 0) return
    this.#onEmpty()
    void this.#bound?.then((listening) => listening.close()).catch(() => {})
    this.#looking.close()
    for (const { passage } of this.#secured.values()) passage.close()
  }

  #change(members: readonly { readonly guest: Guest }[]): void {
    this.#members = members
    this.#guests = [...new Set(members.map(({ guest }) => guest))]
  }

  #accept(carrier: Conn): void {
    const guests = this.guests
    const [first] = guests
    if (!first) carrier.destroy()
    else if (guests.length === 1 || !first.claim) first.receive(carrier)
    else this.#look(carrier, first.claim, (conn, seen) => this.#admit(conn, seen))
  }

  #look(conn: Conn, { handshakeTimeoutMs: timeoutMs, refused }: Claim, then: (conn: Conn, seen: Seen) => void): void {
    this.#looking.look(conn, { timeoutMs, refused }, then)
  }

  /** The guests of now: there may be others than when it came. */
  #admit(conn: Conn, seen: Seen): void {
    const guests = this.guests.filter(claims)
    const sets = tlsSets(guests)
    const plain = guests.filter(({ claim }) => !claim.sharer.tls)
    if (guests.length === 0) conn.destroy()
    else if (seen.kind === 'tls' && sets.length > 0) this.#admitTls(conn, chooseTls(sets, seen))
    else choosePlain(plain.length > 0 ? plain : guests, seen).receive(conn)
  }

  #admitTls(conn: Conn, { members, first }: TlsSet<Guest & Claimant>): void {
    const { secure } = first.claim
    if (members.length === 1 || !secure) first.receive(conn)
    else this.#passageOf(secure, members).receive(conn)
  }

  /** Through the TLS that these have in common. */
  #passageOf(secure: Layer, members: readonly (Guest & Claimant)[]): Passage {
    let entry = this.#secured.get(secure)
    if (!entry) {
      this.#forget()
      entry = { passage: secure.server((conn) => this.#admitInside(conn, secure)), members }
      this.#secured.set(secure, entry)
    }
    entry.members = members
    return entry.passage
  }

  /** Those of earlier configurations that nobody is on the way through any more. */
  #forget(): void {
    const current = new Set(this.guests.map(({ claim }) => claim?.secure))
    for (const [layer, { passage }] of this.#secured) {
      if (passage.pending === 0 && !current.has(layer)) this.#secured.delete(layer)
    }
  }

  #admitInside(conn: Conn, secure: Layer): void {
    const here = this.guests
    const members = this.#secured.get(secure)?.members.filter((member) => here.includes(member)) ?? []
    const [first] = members
    if (!first) conn.destroy()
    else this.#look(conn, first.claim, (looked, seen) => choosePlain(members, seen).receiveSecured(looked))
  }
}

const claims = (guest: Guest): guest is Guest & Claimant => guest.claim !== undefined
