/** What can be found out about the items of a list, by their number. */
export interface ListOrigin<Place = unknown> {
  placeOf(index: number): Place
  /** Decodes an item once more, so that the result is remembered. */
  again(index: number): unknown
}

/** A list whose items may have to be decoded once more. */
export class RememberedList {
  readonly #list: readonly unknown[]
  readonly #origin: ListOrigin
  /** The item in which an object stands. Made when it is first asked for. */
  #indices: Map<object, number> | undefined

  constructor(list: readonly unknown[], origin: ListOrigin) {
    this.#list = list
    this.#origin = origin
  }

  /** The item in which `object` stands, and what is in it, each with its like from decoding it again; nothing if there is none. */
  again(object: object): (readonly [mine: object, fresh: object])[] {
    this.#indices ??= new Map(this.#list.flatMap((item, i) => objectsIn(item).map((each) => [each, i] as const)))
    const index = this.#indices.get(object)
    if (index === undefined) return []
    const fresh = objectsIn(this.#origin.again(index))
    return objectsIn(this.#list[index]).map((mine, i) => [mine, fresh[i]!] as const)
  }
}

/** An item and the objects right below it. */
const objectsIn = (item: unknown): object[] => (isObject(item) ? [item, ...Object.values(item).filter(isObject)] : [])

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
