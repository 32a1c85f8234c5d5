/**
 * Searches among many users that wait for their turn, so that a flood of strangers cannot keep everybody else waiting.
 *
 * In one turn of the event loop only so many keys are tried. Addresses take turns, each with its oldest search: those from
 * which somebody was let in and those that are new alternate, and behind them come those that only fail, which have a small
 * share of the processor and no more. Nobody is refused for waiting, up to a bound that only strangers reach.
 */
import { ForgetfulMap } from '../../../core/collections/forgetful-map.ts'
import { type Link, LinkedList } from '../../../core/collections/linked-list.ts'
import { limits } from '../../../core/limits.ts'
import type { UserSearch } from './user-search.ts'

/** When the queue goes on. */
export interface Turns {
  /** In the next turn of the event loop, behind whatever else it has to do. */
  soon(run: () => void): void
  /** In a millisecond. */
  later(run: () => void): void
}

interface Waiting {
  readonly search: UserSearch
  readonly place: Place
  readonly done: () => void
  /** Absent once it waits no more. */
  link: Link<Waiting> | undefined
}

/** An address with searches that wait. */
interface Place {
  readonly address: string
  readonly waiting: LinkedList<Waiting>
  /** Somebody was let in from here. */
  known: boolean
  rank: Rank
  link: Link<Place>
}

type Rank = 'known' | 'new' | 'failing'

/** One turn of so many is that of addresses that only fail, however many others wait. */
const turnsOfAll = 8

export class SearchQueue {
  readonly #turns: Turns
  readonly #places = new Map<string, Place>()
  /** Addresses by rank; the one whose turn it is comes first. */
  readonly #ranks: Readonly<Record<Rank, LinkedList<Place>>> = {
    known: new LinkedList(),
    new: new LinkedList(),
    failing: new LinkedList(),
  }
  /** How often a search failed since one of the same address succeeded. */
  readonly #failures = new ForgetfulMap<string, number>(limits.searchAddresses)
  #size = 0
  #turn = 0
  #scheduled = false

  constructor(turns: Turns) {
    this.#turns = turns
  }

  /** Searches that wait. */
  get size(): number {
    return this.#size
  }

  /**
   * Runs a search when its turn comes, and calls `done` once it is over. Returns how to take it back.
   * @param known somebody was let in from this address before
   */
  add(search: UserSearch, address: string, known: boolean, done: () => void): () => void {
    if (this.#size >= limits.searchesWaiting) this.#giveUp()
    const place = this.#placeOf(address, known)
    const waiting: Waiting = { search, place, done, link: undefined }
    waiting.link = place.waiting.push(waiting)
    this.#size++
    this.#schedule()
    return () => this.#leave(waiting)
  }

  /** What came of the client of a search: whether it was let in. */
  told(address: string, letIn: boolean): void {
    if (letIn) this.#failures.delete(address)
    else this.#failures.set(address, (this.#failures.get(address) ?? 0) + 1)
    const place = this.#places.get(address)
    if (!place) return
    place.known ||= letIn
    this.#moveBack(place)
  }

  #rankOf({ address, known }: Pick<Place, 'address' | 'known'>): Rank {
    const failures = this.#failures.get(address) ?? 0
    if (failures >= (known ? limits.searchFailures : 1)) return 'failing'
    return known ? 'known' : 'new'
  }

  #placeOf(address: string, known: boolean): Place {
    const there = this.#places.get(address)
    if (there) return there
    const rank = this.#rankOf({ address, known })
    const place = { address, known, rank, waiting: new LinkedList<Waiting>() } as Place
    place.link = this.#ranks[rank].push(place)
    this.#places.set(address, place)
    return place
  }

  /** Behind the others of its rank, which may be another one by now. */
  #moveBack(place: Place): void {
    this.#ranks[place.rank].remove(place.link)
    place.rank = this.#rankOf(place)
    place.link = this.#ranks[place.rank].push(place)
  }

  /** Nothing if it waits no more. */
  #leave(waiting: Waiting): void {
    const { place, link } = waiting
    if (!link) return
    waiting.link = undefined
    place.waiting.remove(link)
    this.#size--
    if (place.waiting.size > 0) return
    this.#ranks[place.rank].remove(place.link)
    this.#places.delete(place.address)
  }

  /** The oldest of those who come last. */
  #giveUp(): void {
    const { failing, known, new: fresh } = this.#ranks
    const oldest = (failing.first ?? fresh.first ?? known.first)?.waiting.first
    if (!oldest) return
    oldest.search.giveUp()
    this.#end(oldest)
  }

  #end(waiting: Waiting): void {
    this.#leave(waiting)
    waiting.done()
  }

  #schedule(): void {
    if (this.#scheduled || this.#size === 0) return
    this.#scheduled = true
    const run = (): void => {
      this.#scheduled = false
      this.#run()
      this.#schedule()
    }
    if (this.#ranks.known.size + this.#ranks.new.size > 0) this.#turns.soon(run)
    else this.#turns.later(run)
  }

  #run(): void {
    const { known, new: fresh, failing } = this.#ranks
    const others = known.size + fresh.size > 0
    const ofAll = this.#turn++ % turnsOfAll === 0
    let left: number = others && !ofAll ? limits.searchedKeys : limits.searchedKeysOfStrangers
    for (let n = this.#turn; left > 0; n++) {
      const next = n % 2 === 0 ? (known.first ?? fresh.first) : (fresh.first ?? known.first)
      const place = ofAll || !others ? (failing.first ?? next) : next
      if (!place) return
      left = this.#advance(place, left)
    }
  }

  /** Another address has the next turn. */
  #advance(place: Place, keys: number): number {
    const waiting = place.waiting.first!
    const left = waiting.search.advance(keys)
    this.#moveBack(place)
    if (waiting.search.over) this.#end(waiting)
    return left
  }
}
