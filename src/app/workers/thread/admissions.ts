import type { Account } from '../../../account/account.ts'
import type { Member } from '../../../account/book.ts'
import { ProxyError } from '../../../core/errors.ts'
import type { Slots } from '../memory/slots.ts'
import { summedTotals } from '../memory/totals.ts'
import type { ErrorText, FromWorker } from '../messages.ts'

interface Known {
  readonly member: Member
  readonly slot: number
  resolve(): void
  reject(error: Error): void
}

type Asking = Account & { readonly slot: number }

/** The connections of this worker that the main thread decides about, and the way there and back. */
export class Admissions {
  readonly #cells: Slots
  readonly #say: (message: FromWorker) => void
  readonly #known = new Map<number, Known>()
  readonly #numbers = new Map<Member, number>()
  #last = 0

  /** @param cells where the totals of these connections are, for the main thread to see */
  constructor(cells: Slots, say: (message: FromWorker) => void) {
    this.#cells = cells
    this.#say = say
  }

  /** Resolves when the connection is let in; rejects with why not. */
  ask(account: Asking, member: Member): Promise<void> {
    return new Promise((resolve, reject) => this.#enter('admit', account, member, { resolve, reject }))
  }

  /** One that runs already. */
  join(account: Asking, member: Member): void {
    if (!this.#numbers.has(member)) this.#enter('joined', account, member, { resolve() {}, reject() {} })
  }

  admitted(number: number): void {
    this.#known.get(number)?.resolve()
  }

  refused(number: number, error: ErrorText): void {
    const known = this.#known.get(number)
    this.#forget(number)
    known?.reject(asError(error))
  }

  end(number: number, error: ErrorText): void {
    this.#known.get(number)?.member.end(asError(error))
  }

  /** Nothing where it was never entered. */
  leave(member: Member): void {
    const number = this.#numbers.get(member)
    if (number === undefined) return
    const known = this.#known.get(number)
    this.#forget(number)
    this.#say({ type: 'leave', member: number })
    known?.reject(new ProxyError('SESSION_ENDED', 'the connection ended before it was let in'))
  }

  #enter(type: 'admit' | 'joined', account: Asking, member: Member, settle: Pick<Known, 'resolve' | 'reject'>): void {
    const number = ++this.#last
    const slot = this.#cells.take()
    const totals = summedTotals(this.#cells.viewOf(slot), 0)
    totals.uplink = member.totals.uplink
    totals.downlink = member.totals.downlink
    member.totals = totals
    this.#known.set(number, { member, slot, ...settle })
    this.#numbers.set(member, number)
    const { email, slot: ofAccount } = account
    this.#say({ type, member: number, email, account: ofAccount, host: member.host, slot })
  }

  #forget(number: number): void {
    const known = this.#known.get(number)
    if (!known) return
    this.#known.delete(number)
    this.#numbers.delete(known.member)
    // Whoever reads them later, such as a log, finds them as they were: a slot can have another owner.
    known.member.totals = { uplink: known.member.totals.uplink, downlink: known.member.totals.downlink }
    this.#cells.giveBack(known.slot)
  }
}

const asError = ({ code, message, hint }: ErrorText): ProxyError => new ProxyError(code, message, { hint })
